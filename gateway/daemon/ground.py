"""What all parts of the daemon stand on: settings, database, threads, the batches' desk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.batch import Desk
from core.database import Database
from core.ids import IdMaker
from core.inbox import Part
from core.nodes.number import Node
from core.schema import SchemaError, is_current
from core.secrecy import Keys
from gateway.daemon.workers import Workers
from gateway.database_doors import Doors
from gateway.minds import LineMind, load_profiles, minds_of
from gateway.payment_service import with_payments
from gateway.profiles import Profile
from gateway.settings import Settings
from gateway.smpp.text import Alphabet, decode
from gateway.ussd.talker import MenuTalker, talkers_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is made first, and changes no more."""

    settings: Settings
    file: Path
    """The settings file: what it names beside itself is looked for there."""
    profiles: Mapping[str, Profile]
    """By name."""
    version: str
    started_at: int
    """UTC milliseconds."""
    database: Database
    node: Node
    workers: Workers
    desk: Desk
    minds: Mapping[str, LineMind]
    """By line that is texted."""
    talkers: Mapping[str, MenuTalker]
    """By line that is dialled."""
    reactor: Any

    def now_ms(self) -> int:
        """UTC milliseconds, by the reactor's clock."""
        return _now_ms(self.reactor)

    @property
    def doors(self) -> Doors:
        """How the database is got at from the reactor's thread."""
        workers = self.workers
        return Doors(self.database, workers.in_reader, workers.in_writer, workers.in_bulk)

    @property
    def is_shared(self) -> bool:
        """Whether other daemons may be on the same database."""
        return not self.database.is_sqlite


def open_ground(settings: Settings, file: Path, reactor: Any, version: str) -> Ground:
    """Load the profiles, open the database and take a number.

    Raises ``ConfigError``, ``SchemaError``, ``DatabaseUnavailable`` or ``NodeTaken``.
    """
    started_at = _now_ms(reactor)
    profiles = load_profiles(file, settings)
    database = Database(settings.database_url)
    if not is_current(database):
        raise SchemaError(f"the tables of {database.name} are of an older version; run `peyk init`")
    node = Node(database)
    spoken = with_payments(profiles, settings)
    minds = minds_of(settings, spoken)
    talkers = talkers_of(settings, spoken)
    alphabets = {bind.name: bind.alphabet for bind in settings.binds}

    def join(bind: str, parts: Sequence[Part]) -> str:
        payload = b"".join(part.payload for part in parts)
        return decode(payload, parts[0].data_coding, alphabets.get(bind, Alphabet.GSM7))

    desk = Desk(
        node=node.number,
        ids=IdMaker(node.number, lambda: _now_ms(reactor)),
        keys=Keys(settings.daemon.key_bytes),
        minds=minds,
        join=join,
        talkers=talkers,
        limits=settings.ussd.limits(),
    )
    return Ground(
        settings=settings,
        file=file,
        profiles=profiles,
        version=version,
        started_at=started_at,
        database=database,
        node=node,
        workers=Workers(database, reactor),
        desk=desk,
        minds=minds,
        talkers=talkers,
        reactor=reactor,
    )


def _now_ms(reactor: Any) -> int:
    return int(reactor.seconds() * 1000)
