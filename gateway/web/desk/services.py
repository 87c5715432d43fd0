"""The services of the gateway: how each is, pausing it, letting it go on.

They belong to no utility: who may pause them for every one's data may pause them.
"""

from __future__ import annotations

from core import services as stored
from core.access.audit import Entry
from core.access.permissions import Permission
from core.services import Paused, paused_now
from gateway.health import ServiceHealth
from gateway.service_list import service_names, with_services, without_daemon
from gateway.web.desk.forms import Form
from gateway.web.desk.refusals import NotFound
from gateway.web.desk.routes import Routes
from gateway.web.desk.spoken import service_detail, service_effect, service_title
from gateway.web.desk.visit import Visit

routes = Routes()
_LONGEST_NOTE = 200


@routes.route("GET", "/services", Permission.SERVICE_SEE)
async def show(visit: Visit) -> bytes:
    """Every service and its state."""
    found = await _services(visit)
    rows = [
        (each, service_title(visit.say, each.name), service_detail(visit.say, each))
        for each in found.values()
    ]
    return visit.page("services.html", rows=rows, may_pause=_may_pause(visit))


@routes.route("GET", "/services/<any(pause, resume):act>/<name>", Permission.SERVICE_PAUSE)
async def ask(visit: Visit, act: str, name: str) -> bytes:
    """What it would stop, and whether that is meant."""
    visit.check(Permission.SERVICE_PAUSE, None)
    return await _ask(visit, act, name, visit.blank())


@routes.route("POST", "/services/<any(pause, resume):act>/<name>", Permission.SERVICE_PAUSE)
async def change(visit: Visit, act: str, name: str) -> bytes:
    """Pause it, or let it go on; the daemons hear of it at once."""
    visit.check(Permission.SERVICE_PAUSE, None)
    if name not in await _services(visit):
        raise NotFound
    form, now = visit.form, visit.means.now_ms()
    note = form.text("note", most=_LONGEST_NOTE)
    if not form.is_right:
        return await _ask(visit, act, name, form, 422)
    entry = Entry(f"service.{act}", f"service:{name}")
    if act == "pause":
        paused = Paused(name, now, visit.user.name, note)
        before = await visit.change(entry, stored.pause, paused)
        said = "services.was_paused" if before else "services.paused"
    else:
        before = await visit.change(entry, stored.resume, name)
        said = "services.resumed" if before else "services.was_running"
    await visit.means.on_switched()
    if visit.means.pulse is not None:
        visit.means.pulse.forget()
    return visit.go("/services", said, title=service_title(visit.say, name))


async def _ask(visit: Visit, act: str, name: str, form: Form, code: int = 200) -> bytes:
    service = (await _services(visit)).get(name)
    if service is None:
        raise NotFound
    return visit.page(
        "service.html",
        code=code,
        act=act,
        service=service,
        title=service_title(visit.say, name),
        effect=service_effect(visit.say, name),
        form=form,
    )


async def _services(visit: Visit) -> dict[str, ServiceHealth]:
    """As this daemon runs them, with the pauses as they are stored."""
    paused = await visit.read("services", paused_now)
    settings = visit.means.settings
    if visit.means.pulse is None:
        found = without_daemon(settings, paused)
    else:
        beat = await visit.means.pulse.feel()
        found = with_services(beat.snapshot, paused).services
    # A pause that is left of a service that the settings have no more can still be ended.
    order = {name: place for place, name in enumerate(service_names(settings))}
    ordered = sorted(found, key=lambda each: order.get(each.name, len(order)))
    return {each.name: each for each in ordered}


def _may_pause(visit: Visit) -> bool:
    return visit.may(Permission.SERVICE_PAUSE) and visit.scope(Permission.SERVICE_PAUSE) is None
