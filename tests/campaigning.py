"""What tests of campaigns share: a template over the sample bills, and plain words for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from core.calls import Fact
from core.database import Database
from core.ids import IdMaker
from core.making import Maker
from core.reporting.sources import Sources
from core.runs.store import Beginning, Run, RunSource, begin, show
from core.templates.store import Draft, add
from core.templates.types import (
    Audience,
    Definition,
    Missed,
    OnReport,
    Receivers,
    SendPolicy,
    Uncertain,
    Version,
)

UTILITY = "kerman-water"
LINE = "100034122"
DEFINITION = Definition(
    line=LINE,
    audience=Audience.SERVICE,
    topic="bills",
    required=False,
    language="fa",
    trigger=OnReport("bills_of_period", {}),
    receivers=Receivers.CONTACTS,
    produce=None,
    missed=Missed.ONCE,
    starts=None,
    ends=None,
    attempts=3,
    validity=172_800,
    priority=5,
    uncertain=Uncertain.LEAVE,
    policy=SendPolicy(pauses=(60,), growth_percent=0, hours=(), retry_on=frozenset()),
)
"""Bills of a period to every contact, in one attempt after the other."""


_starts = count()


@dataclass
class PlainWords:
    """Implements ``core.making.Wording``: the subscription and what is owed."""

    parts: int = 1
    written: list[Mapping[str, Fact]] = field(default_factory=list)

    def words(self, _version: Version, rows: Sequence[Mapping[str, Fact]]) -> list[list[str]]:
        """None for a row that owes nothing."""
        self.written += rows
        return [
            [f"{row['number']}: {row['payable']} {part}" for part in range(1, self.parts + 1)]
            if row["payable"]
            else []
            for row in rows
        ]


def maker(now_ms: Any, words: PlainWords | None = None) -> Maker:
    """What one daemon makes messages with."""
    # A daemon that is started again takes the time to; here the clock stands still.
    began = now_ms() + next(_starts)
    return Maker(IdMaker(0, lambda: began), words or PlainWords())


def save(database: Database, definition: Definition = DEFINITION, name: str = "bills") -> Version:
    """A template."""
    draft = Draft(UTILITY, name, definition, "{{ number }}: {{ payable }}", "test", 0)
    return database.transact("template", add, draft)


def start(
    database: Database, version: Version, now: int, *, run_id: int = 1, **parameters: Any
) -> Run:
    """A run over the bills of a period, as it is stored."""
    source = RunSource("bills_of_period", parameters, {})
    about = (UTILITY, version.template_id, version.version, now, source, "test", now)
    assert database.transact("begin", begin, Beginning(run_id, *about))
    run = database.read("show", show, run_id)
    assert run is not None
    return run


def sources() -> Sources:
    """Those that are shipped."""
    return Sources({})
