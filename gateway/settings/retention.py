"""``[retention]``: for how many days each kind of data is kept; 0: for ever."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from core.retention.tasks import Keep
from gateway.configuration import Frozen

LEAST: Final = 7
"""Days for which an operator may still say something of a message that has gone out."""


def _long_enough(days: int) -> int:
    if 0 < days < LEAST:
        raise ValueError(f"is too short: {LEAST} or more, or 0 to keep for ever")
    return days


Days = Annotated[int, Field(ge=0, le=36_500)]
Weeks = Annotated[Days, AfterValidator(_long_enough)]


class RetentionSettings(Frozen):
    """``[retention]``; ``core.retention.tasks.Keep`` says what each of them is."""

    texts: Weeks = 0
    messages: Weeks = 0
    ussd_steps: Days = 0
    events: Weeks = 0
    wrong_codes: Days = 0
    requests: Days = 0
    orders: Days = 0
    readings: Days = 0
    alerts: Days = 0
    api_calls: Days = 0

    @property
    def keep(self) -> Keep:
        """The same as the core takes it."""
        return Keep(**self.model_dump())
