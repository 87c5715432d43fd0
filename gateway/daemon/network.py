"""What the daemon is connected by: binds, panels, USSD doors, their senders and switches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.outbox import Sent
from core.services import BIND, DOOR, PANEL, paused_now, service_name
from gateway.daemon.ground import Ground
from gateway.inbound import Inbound
from gateway.outbound import Router, Sender, SenderSettings, Submitted
from gateway.panels.making import DaemonSide, make_panel
from gateway.panels.service import PanelService
from gateway.pauses import BindSwitch, DoorSwitch, PanelSwitch, Pauses, Switch
from gateway.pushes import Pushes
from gateway.smpp.bind import SmppBind
from gateway.smpp.settings import BindState
from gateway.ussd.http.page import DoorPage

Settle = Callable[[str, Sequence[Sent]], None]


@dataclass(frozen=True, slots=True)
class Network:
    """What the daemon is connected by."""

    router: Router
    binds: Sequence[SmppBind]
    panels: Sequence[PanelService]
    doors: Sequence[DoorPage]

    @property
    def names_up(self) -> set[str]:
        """The names of the binds and panels that are up."""
        senders = self.router.senders
        up = {panel.settings.name for panel in self.panels if panel.sender.is_up}
        return up | {
            status.name
            for status in (bind.status() for bind in self.binds)
            if (
                senders[status.name].is_up
                if status.name in senders
                else status.state is BindState.BOUND
            )
        }

    @property
    def is_settled(self) -> bool:
        """Whether nothing is under way whose result is not stored."""
        return not any(each.status().in_flight for each in self.router.senders.values())


def make_router(ground: Ground, settle: Settle, on_submitted: Submitted) -> Router:
    """The senders of the binds that send; those of panels are added when they are made."""
    senders = {
        bind.name: Sender(
            SenderSettings(
                bind.name,
                bind.smsc,
                bind.window,
                bind.rate,
                bind.receipts,
                bind.blocked_codes,
                shared=ground.is_shared,
            ),
            ground.reactor,
            settle,
            on_submitted,
        )
        for bind in ground.settings.binds
        if bind.sends
    }
    return Router(senders, {line.number: line.binds for line in ground.settings.texted_lines})


def make_network(
    ground: Ground,
    inbound: Inbound,
    router: Router,
    on_submitted: Submitted,
    on_panel_up: Callable[[], object],
) -> Network:
    """All that the daemon is connected by; the router then knows the panels too."""
    settings, reactor = ground.settings, ground.reactor
    daemon = DaemonSide(
        inbound,
        reactor,
        reactor,
        ground.workers.read,
        ground.workers.transact,
        ground.desk.keys.fingerprint,
        ground.now_ms,
        inbound.settle,
        on_panel_up,
        on_submitted,
    )
    panels = [
        make_panel(ground.file, each, settings.texted_lines, daemon, shared=ground.is_shared)
        for each in settings.panels
    ]
    for panel in panels:
        router.add(panel.sender)
    binds = [SmppBind(bind.for_smpp(), inbound, reactor) for bind in settings.binds]
    behind_proxy = bool(settings.web and settings.web.behind_proxy)
    doors = [
        DoorPage(door, inbound, reactor, behind_proxy=behind_proxy) for door in settings.ussd_doors
    ]
    return Network(router, binds, panels, doors)


def make_pauses(ground: Ground, network: Network) -> Pauses:
    """What people pause: of this daemon, its binds, its panels and its USSD doors."""
    switches: dict[str, Switch] = {}
    for bind in network.binds:
        name = bind.settings.name
        sender = network.router.senders.get(name)
        own = sender if isinstance(sender, Sender) else None
        switches[service_name(BIND, name)] = BindSwitch(bind, own, ground.reactor)
    for panel in network.panels:
        switches[service_name(PANEL, panel.settings.name)] = PanelSwitch(panel)
    for page in network.doors:
        switches[service_name(DOOR, page.settings.name)] = DoorSwitch(page.door)
    return Pauses(ground.doors, switches, ground.database.read("services", paused_now))


def make_pushes(ground: Ground, inbound: Inbound) -> Pushes:
    """USSD sessions that the utility begins, on the binds that can carry them."""
    settings = ground.settings
    ussd = [bind.name for bind in settings.binds if bind.ussd and bind.sends]
    binds_of: Mapping[str, list[str]] = {
        line.number: [name for name in line.binds if name in ussd]
        for line in settings.dialled_lines
    }
    return Pushes(
        ground.database, ground.desk, inbound, ground.workers.in_writer, binds_of, ground.now_ms
    )
