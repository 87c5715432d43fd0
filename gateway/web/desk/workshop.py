"""What pages about templates, campaigns and reports are made with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from core.calls import Fact
from core.identifiers import masked_mobile
from core.reporting.sources import Sources
from core.templates.sampling import Sample, sample
from core.templates.types import Version
from gateway.report_files import sources_of
from gateway.templates.checking import Checker
from gateway.templates.wordings import LineGone, written_by
from gateway.web.desk.means import Means
from gateway.web.desk.visit import Visit

_SPOKEN: Final = frozenset(
    {"company", "period", "kind", "region", "reason", "service", "state", "state_key", "office"}
)
"""Facts in words that say nothing of whose they are."""
_SHOWN: Final = 2
"""Characters of any other that are shown."""


class Shown(NamedTuple):
    """One message as it would go out."""

    text: str
    """Personal data masked; empty: this row cannot be written."""
    parts: int
    cost: int
    """Rial; 0 where no price is set."""


class Preview(NamedTuple):
    """Messages of a template about real rows, or about example figures."""

    messages: Sequence[Shown]
    is_example: bool
    of: int | None
    """How many rows there are in all; None: nobody counted."""
    parts: int
    """That all of them would take, by these …"""
    cost: int
    """… and what that costs, in rial."""


def sources(means: Means) -> Sources:
    """The reports of every utility."""
    return sources_of(means.settings, means.profiles.values())


def checker(means: Means) -> Checker:
    """What looks at a template before it is saved."""
    lines = means.settings.lines
    return Checker(means.minds, sources(means), {line.number: line.audience for line in lines})


def price_of(means: Means, line: str) -> float:
    """Rial for each part; 0: nobody says."""
    return next((each.price for each in means.settings.lines if each.number == line), 0)


def lines_of(means: Means, utility: str) -> list[str]:
    """The numbers that a utility texts from."""
    return [number for number, mind in means.minds.items() if mind.utility == utility]


async def previewed(visit: Visit, version: Version, most: int, *, counted: bool) -> Preview:
    """Messages of a template that was checked; real rows are masked for everybody.

    Raises ``SourceError``, ``ParameterError`` and ``LineGone``.
    """
    means = visit.means
    found = Sample((), None)
    if most:
        now, known = means.now_ms(), sources(means)

        def read(connection: Any) -> Sample:
            return sample(connection, version, known, most, now, counted=counted)

        found = await visit.read("template_preview", read)
    made: Preview = await means.in_thread(_filled, means, version, found)
    return made


def _filled(means: Means, version: Version, found: Sample) -> Preview:
    mind = means.minds.get(version.definition.line)
    if mind is None:
        raise LineGone(f"the line {version.definition.line} is not in the settings any more")
    write, price = written_by(version, means.minds), price_of(means, version.definition.line)
    facts: list[Mapping[str, Fact]] = [row.facts for row in found.rows]
    shown: list[Mapping[str, Fact]] = [masked(each) for each in facts]
    if not facts:
        facts = shown = [checker(means).example(version.utility, version.definition)]
    texts = ["".join(parts) for parts in write(facts)]
    counts = [mind.count(text) if text else 0 for text in texts]
    messages = [
        Shown("".join(parts) if text else "", count, round(count * price))
        for parts, text, count in zip(write(shown), texts, counts, strict=True)
    ]
    whole = round(sum(counts) / len(counts) * (found.of or 0))
    return Preview(messages, not found.rows, found.of, whole, round(whole * price))


def example_parts(means: Means, version: Version) -> Sequence[str]:
    """A template's message with example figures. Raises what ``Checker.check`` does."""
    known = checker(means)
    known.check(version.utility, version.definition, version.body)
    (parts,) = written_by(version, means.minds)(
        [known.example(version.utility, version.definition)]
    )
    return parts


def masked(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """Facts of which nobody can tell whose they are; as long as before, but for mobiles."""
    return {name: _masked(name, value) for name, value in facts.items()}


def _masked(name: str, value: Fact) -> Fact:
    if not isinstance(value, str) or name in _SPOKEN:
        return value
    if name == "mobile":
        return masked_mobile(value)
    return value[:_SHOWN] + "*" * (len(value) - _SHOWN) if len(value) > _SHOWN else value
