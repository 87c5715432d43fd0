"""What the audit log has of commands: who ran them, and what was done or seen."""

from __future__ import annotations

import getpass
from typing import Any

from core.access.administering import By
from core.access.audit import BY_COMMAND, Actor, Entry, Scribe
from core.ids import ids_for_command
from gateway.commands.context import now_ms


def by_command() -> By:
    """Who runs the command, for the audit log."""
    return By(Scribe(ids_for_command(now_ms)), Actor(f"{BY_COMMAND}{getpass.getuser()}"), now_ms())


def write_down(connection: Any, entry: Entry) -> None:
    """Put into the audit log what the command does."""
    by = by_command()
    by.scribe.write(connection, by.now_ms, by.actor, entry)
