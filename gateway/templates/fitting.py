"""Whether a report gives what a template's words need."""

from __future__ import annotations

from collections.abc import Mapping

from core.runs.starting import Start
from core.runs.store import RunError
from core.templates.variables import COMPANY
from gateway.minds import LineMind
from gateway.templates.bodies import compile_body
from gateway.templates.wordings import sandbox_on


def check_fits(minds: Mapping[str, LineMind], start: Start) -> None:
    """Raise ``RunError`` for a report that does not: it may be another than the template's own."""
    version = start.version
    mind = minds.get(version.definition.line)
    if mind is None:
        raise RunError(f"the line {version.definition.line} is not in the settings any more")
    source = start.question.source
    body = compile_body(version.body, sandbox_on(mind, version.definition.language))
    missing = body.variables - {COMPANY, *source.facts}
    if missing:
        raise RunError(
            f"the words of {version.name!r} need {', '.join(sorted(missing))}, "
            f"which the report {source.name} does not give"
        )
