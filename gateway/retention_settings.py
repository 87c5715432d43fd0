"""``[retention]``: for how many days each kind of data is kept; 0: for ever."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from core.retention_tasks import Keep
from gateway.configuration import Frozen

Days = Annotated[int, Field(ge=0, le=36_500)]


class RetentionSettings(Frozen):
    """``[retention]``; ``core.retention_tasks.Keep`` says what each of them is."""

    texts: Days = 0
    messages: Days = 0
    ussd_steps: Days = 0
    events: Days = 0
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
