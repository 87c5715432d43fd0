"""Writes the messages of templates: the ``core.making.Wording`` that the gateway lends.

What a version says never changes, so each is compiled once and kept. A campaign writes a
million texts with one: the loop does nothing for a row that could be done for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog
from jinja2 import TemplateError

from core.calls import Fact
from core.templates.types import Version
from core.templates.variables import COMPANY
from gateway.languages import OWN
from gateway.minds import LineMind
from gateway.rules.scan import ENGLISH
from gateway.sandbox import Write
from gateway.templates.bodies import compile_body, sandbox_of

log = structlog.get_logger(__name__)

MOST_PARTS: Final = 10
"""What a template may need, with example figures and with real ones."""
_UNWRITTEN: Final[Sequence[str]] = ()
_FAULTS: Final = (
    TemplateError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError,
)  # fmt: skip
"""What an expression can come to with data that it was not made for."""

Written = Callable[[Sequence[Mapping[str, Fact]]], list[Sequence[str]]]


class LineGone(Exception):
    """A template's line is not in the settings any more: nobody knows how to write for it."""


class Wordings:
    """The words of every template, compiled when they are first needed. Thread-safe."""

    def __init__(self, minds: Mapping[str, LineMind]) -> None:
        """``minds``: by the line's number."""
        self._minds = minds
        self._kept: dict[tuple[int, int], Written] = {}

    def words(self, version: Version, rows: Sequence[Mapping[str, Fact]]) -> list[Sequence[str]]:
        """The parts of the message about each of ``rows``, in their order.

        A row that cannot be written has none: a fact is missing or of another kind, nothing
        is said, or it would take more than ``MOST_PARTS``. Raises ``LineGone``.
        """
        key = version.template_id, version.version
        written = self._kept.get(key)
        if written is None:
            written = self._kept[key] = written_by(version, self._minds)
        found = written(rows)
        unwritten = found.count(_UNWRITTEN)
        if unwritten:
            log.warning(
                "template.unwritten",
                template=version.name,
                version=version.version,
                rows=unwritten,
                of=len(rows),
            )
        return found


def sandbox_on(mind: LineMind, language: str) -> Any:
    """What a template in ``language`` runs in, for a line."""
    words = mind.profile.words.get(ENGLISH if language == ENGLISH else OWN, {})
    return sandbox_of(words, language)


def written_by(version: Version, minds: Mapping[str, LineMind]) -> Written:
    """A function from rows to parts. Raises ``LineGone``."""
    mind = minds.get(version.definition.line)
    if mind is None:
        raise LineGone(
            f"the template {version.name!r} of {version.utility} goes out from the line "
            f"{version.definition.line}, which is not in the settings"
        )
    body = compile_body(version.body, sandbox_on(mind, version.definition.language))
    write, cut = body.write, mind.parts
    if COMPANY in body.variables:
        write = _with_company(write, mind.profile.title)

    def written(rows: Sequence[Mapping[str, Fact]]) -> list[Sequence[str]]:
        found: list[Sequence[str]] = []
        add = found.append
        for facts in rows:
            try:
                text = write(facts).strip()
                parts = cut(text)
            except _FAULTS:
                add(_UNWRITTEN)
            else:
                add(parts if text and len(parts) <= MOST_PARTS else _UNWRITTEN)
        return found

    return written


def _with_company(write: Write, title: str) -> Write:
    return lambda facts: write({COMPANY: title, **facts})
