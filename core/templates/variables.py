"""What a template's words may use: the facts that its source declares."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from core.events import EventKind
from core.events.facts import OUTAGE_FACTS, FactKind, FactKinds, facts_of_all
from core.reporting.reading import given
from core.reporting.sources import Sources
from core.reporting.types import ColumnType, ParameterError
from core.templates.checks import DefinitionError
from core.templates.types import OnEvents, OnOutage, OnReport, Trigger

COMPANY: Final = "company"
"""A fact that every template has: what the utility calls itself."""
_KIND_OF: Final = MappingProxyType(
    {
        ColumnType.TEXT: FactKind.TEXT,
        ColumnType.INTEGER: FactKind.NUMBER,
        ColumnType.RIAL: FactKind.NUMBER,
        ColumnType.DATE: FactKind.DATE,
        ColumnType.INSTANT: FactKind.INSTANT,
        ColumnType.FLAG: FactKind.FLAG,
    }
)


def variables_of(trigger: Trigger, utility: str, sources: Sources) -> FactKinds:
    """The facts of a trigger that was checked.

    Raises ``DefinitionError`` for a report that there is none of, or whose parameters are
    wrong, and ``SourceError`` for one whose file is.
    """
    found: FactKinds
    match trigger:
        case OnEvents(kinds):
            found = facts_of_all(map(EventKind, kinds))
        case OnReport(report, parameters):
            try:
                source = sources.named(utility, report)
                given(source, parameters)
            except LookupError as error:
                raise DefinitionError("report", str(error.args[0])) from None
            except ParameterError as error:
                raise DefinitionError("parameters", str(error)) from None
            found = {name: _KIND_OF[source.columns[name]] for name in source.facts}
        case OnOutage():
            found = OUTAGE_FACTS
    return {COMPANY: FactKind.TEXT, **found}
