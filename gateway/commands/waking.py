"""Telling a daemon that runs that there may be something to send."""

from __future__ import annotations

from contextlib import suppress

from gateway import control
from gateway.commands.context import Context


def wake(context: Context) -> None:
    """Have the daemon look now; without one it is done when one starts."""
    with suppress(control.ControlError):
        control.call(context.settings.daemon.control, "wake")
