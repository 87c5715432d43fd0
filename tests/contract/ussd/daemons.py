"""A daemon behind a network: what comes is worked on by the core, on a database of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

from core import demo
from core.database import Database
from core.dialogues.limits import Limits
from core.secrecy import Keys
from tests.conftest import without_waiting_for_the_disk
from tests.integration.conftest import FaultyDatabase, World
from tests.talking import SUBSCRIBERS, TODAY
from tests.walks import DIALLED


def fill(path: Path, keys: Keys) -> None:
    """Put sample subscribers of every utility that has a menu into a SQLite file."""
    database = without_waiting_for_the_disk(Database(f"sqlite:///{path}"))
    for profile in DIALLED:
        demo.fill(database, keys, today=TODAY, utility=profile, subscribers=SUBSCRIBERS)
    database.close()


def daemon_of(samples: Path, folder: Path, keys: Keys) -> World:
    """A daemon on a copy of the file ``samples``; its ``inbound`` is what a network is given."""
    folder.mkdir()
    shutil.copy(samples, folder / "peyk.db")
    database = without_waiting_for_the_disk(FaultyDatabase(f"sqlite:///{folder / 'peyk.db'}"))
    limits = Limits(1000, 1000, 1000)
    return World(database, keys, binds=("main", "mci", "hub"), limits=limits)
