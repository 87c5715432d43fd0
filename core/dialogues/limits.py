"""How much may be dialled: by one mobile within a minute, and in all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What the settings' ``[ussd]`` says."""

    sessions: int = 200_000
    """Open at once."""
    dials_per_minute: int = 10
    inputs_per_minute: int = 60
    """From one mobile; dials are inputs too."""


class Minute(NamedTuple):
    """What one mobile has sent since ``since``; a minute later it begins anew."""

    since: int = 0
    """UTC milliseconds."""
    inputs: int = 0
    dials: int = 0

    def with_one(self, at: int, *, dial: bool) -> Minute:
        """With one more input."""
        if at - self.since >= MINUTE_MS:
            return Minute(at, 1, int(dial))
        return Minute(self.since, self.inputs + 1, self.dials + dial)

    def is_too_much(self, limits: Limits, *, dial: bool) -> bool:
        """Whether the last input was one too many."""
        return self.inputs > limits.inputs_per_minute or (
            dial and self.dials > limits.dials_per_minute
        )


class OpenSessions:
    """About how many sessions are open in the database.

    Counting them in each batch would cost the more the more there are: batches say what
    they have opened and ended, and the count is trued up when the daemon tidies up. Only
    the thread that writes to the database changes it.
    """

    def __init__(self) -> None:
        self.count = 0

    def add(self, difference: int) -> None:
        """A committed batch has opened and ended sessions."""
        self.count = max(0, self.count + difference)
