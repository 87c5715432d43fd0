"""What a template must be before it is saved: its settings, its line, its source, its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from core.calls import Fact
from core.events.facts import FactKinds
from core.reporting.sources import Sources
from core.templates.checks import DefinitionError, check, check_conditions
from core.templates.types import Audience, Definition, OnEvents, OnReport, Receivers
from core.templates.variables import variables_of
from core.text import nearest_hint
from gateway.minds import LineMind
from gateway.templates.bodies import check_body
from gateway.templates.errors import BodyError
from gateway.templates.examples import written_out
from gateway.templates.wordings import MOST_PARTS, sandbox_on


class Checked(NamedTuple):
    """A template that may be saved."""

    definition: Definition
    """With the line said outright."""
    body: str
    variables: FactKinds
    example: str
    """The words, filled in with example figures."""
    parts: int
    """How many parts the example takes."""


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks templates against the lines and the reports that there are."""

    minds: Mapping[str, LineMind]
    """By the line's number."""
    sources: Sources
    audiences: Mapping[str, Audience] = field(default_factory=dict)
    """What each line may carry; of one that is not here nobody knows."""

    def check(self, utility: str, definition: Definition, body: str) -> Checked:
        """Raises ``DefinitionError``, ``BodyError``, and ``SourceError`` for a report's file."""
        definition = self._with_line(utility, definition)
        check(definition)
        kinds = variables_of(definition.trigger, utility, self.sources)
        self._check_receivers(utility, definition)
        self._check_audience(definition)
        if isinstance(definition.trigger, OnEvents):
            check_conditions(definition.trigger, self.minds[definition.line].profile.terms.services)
        mind = self.minds[definition.line]
        made = check_body(body, sandbox_on(mind, definition.language), kinds)
        example = made.write(self.example(utility, definition)).strip()
        parts = mind.count(example)
        if parts > MOST_PARTS:
            problem = f"with example figures it takes {parts} parts; {MOST_PARTS} are allowed"
            raise BodyError(1, 1, problem)
        return Checked(definition, body, kinds, example, parts)

    def example(self, utility: str, definition: Definition) -> dict[str, Fact]:
        """Example facts of a template's source."""
        kinds = variables_of(definition.trigger, utility, self.sources)
        return {**written_out(kinds), "company": self.minds[definition.line].profile.title}

    def _with_line(self, utility: str, definition: Definition) -> Definition:
        own = [number for number, mind in self.minds.items() if mind.utility == utility]
        if not own:
            raise DefinitionError("line", f"no line in the settings serves {utility}")
        if not definition.line:
            return replace(definition, line=own[0])
        if definition.line not in own:
            hint = nearest_hint(definition.line, own)
            problem = f"{utility} has no line {definition.line!r} in the settings; {hint}"
            raise DefinitionError("line", problem)
        return definition

    def _check_audience(self, definition: Definition) -> None:
        carries = self.audiences.get(definition.line, definition.audience)
        if carries is not definition.audience:
            problem = f"the line {definition.line} carries {carries} messages"
            raise DefinitionError("audience", f"is {definition.audience}, and {problem}")

    def _check_receivers(self, utility: str, definition: Definition) -> None:
        trigger = definition.trigger
        if not isinstance(trigger, OnReport):
            return
        source = self.sources.named(utility, trigger.report)
        by_row = definition.receivers is Receivers.ROW
        if by_row and source.mobile is None:
            raise DefinitionError("receivers", f"the report {source.name} names no mobiles")
        if not by_row and source.subscriber is None:
            problem = f"the report {source.name} names no subscriptions; write row"
            raise DefinitionError("receivers", problem)
