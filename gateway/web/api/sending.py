"""The words of messages that are sent over the API: written elsewhere, or a template's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from core.calls import Fact
from core.events.facts import FactKind, FactKinds, as_fact, is_a
from core.ordered import Manner
from core.runs.starting import check_may_begin
from core.runs.store import RunError
from core.templates.store import TemplateError, named
from core.templates.types import Version
from core.templates.variables import COMPANY, variables_of
from gateway.minds import LineMind
from gateway.report_files import sources_of
from gateway.templates.bodies import compile_body
from gateway.templates.wordings import MOST_PARTS, sandbox_on
from gateway.web.api.call import Call
from gateway.web.api.problems import Problem, Words, Wrong, invalid, step_of

_KINDS: Mapping[FactKind, Words] = {
    FactKind.TEXT: Words("a text", "متن"),
    FactKind.NUMBER: Words("a whole number, 10^15 at most", "عدد صحیح"),
    FactKind.DATE: Words("a date such as 2026-09-21", "تاریخ میلادی مانند 2026-09-21"),
    FactKind.INSTANT: Words(
        "an instant such as 2026-09-21T10:30:00Z", "زمان مانند 2026-09-21T10:30:00Z"
    ),
    FactKind.FLAG: Words("true or false", "true یا false"),
}
_NEEDED = Words('is needed; "" where nobody knows it', 'لازم است؛ اگر معلوم نیست ""')


class Template(NamedTuple):
    """A template that messages may be written with now."""

    version: Version
    mind: LineMind
    kinds: FactKinds
    """Every fact that it may be given …"""
    used: frozenset[str]
    """… and those that its words use."""


def manner_of_texts(
    call: Call[Any, Any], utility: str, line: str | None, topic: str, *, required: bool
) -> tuple[Manner, LineMind]:
    """How texts of the caller go out, and what cuts them. Raises ``Problem``."""
    own = call.minds(utility)
    if line is not None and line not in own:
        raise invalid(
            "/line",
            f"is no line that {utility} texts from: {', '.join(own)}",
            f"سرخط این شرکت نیست: {'، '.join(own)}",
        )
    number = line or next(iter(own))
    return Manner(utility, number, topic, required), own[number]


def template_of(call: Call[Any, Any], connection: Any, utility: str, name: str) -> Template:
    """The template of that name. Raises ``Problem``: there is none, or not today."""
    try:
        found = named(connection, utility, name)
        check_may_begin(found, call.now)
    except TemplateError as error:
        raise invalid("/template", str(error), "چنین الگویی نیست") from None
    except RunError as error:
        raise Problem("conflict", str(error), "این الگو اکنون فعال نیست") from None
    version = found.newest
    mind = call.means.minds.get(version.definition.line)
    if mind is None:
        line = version.definition.line
        raise Problem(
            "conflict",
            f"its line {line} is not in the settings any more",
            f"سرخط {line} این الگو دیگر در تنظیمات نیست",
        )
    sources = sources_of(call.means.settings, call.means.profiles.values())
    kinds = variables_of(version.definition.trigger, utility, sources)
    body = compile_body(version.body, sandbox_on(mind, version.definition.language))
    return Template(version, mind, kinds, body.variables - {COMPANY})


def manner_of(template: Template) -> Manner:
    """How a template's messages go out."""
    version = template.version
    definition = version.definition
    return Manner(version.utility, definition.line, definition.topic, definition.required, version)


def facts_of(template: Template, place: int, given: Mapping[str, Any]) -> dict[str, Fact]:
    """The facts of one message, as what they are. Raises ``Problem``."""
    wrong = [
        Wrong(f"/messages/{place}/facts/{name}", _NEEDED)
        for name in sorted(template.used - given.keys())
    ]
    found: dict[str, Fact] = {}
    for name, value in given.items():
        pointer = f"/messages/{place}/facts/{step_of(name)}"
        kind = template.kinds.get(name)
        if kind is None or name == COMPANY:
            known = ", ".join(sorted(template.kinds.keys() - {COMPANY}))
            words = Words(
                f"the template has no such fact: it has {known}", "الگو چنین مقداری ندارد"
            )
            wrong.append(Wrong(pointer, words))
            continue
        try:
            fact = as_fact(kind, value)
        except ValueError:
            fact = None
        if not is_a(kind, fact):
            wanted = _KINDS[kind]
            words = Words(f"is not {wanted.en}", f"باید {wanted.fa} باشد")
            wrong.append(Wrong(pointer, words))
            continue
        found[name] = fact  # type: ignore[assignment]  # is_a has looked
    if wrong:
        raise Problem("invalid", "see errors", "errors را ببینید", wrong=wrong)
    return found


def parts_of(mind: LineMind, place: int, text: str) -> Sequence[str]:
    """A text cut into parts. Raises ``Problem`` for one that is too long."""
    try:
        parts = mind.parts(text)
        count = mind.count(text)
    except ValueError:
        parts, count = (), MOST_PARTS + 1
    if count > MOST_PARTS:
        raise invalid(
            f"/messages/{place}/text",
            f"takes more than {MOST_PARTS} parts",
            f"بیش از {MOST_PARTS} بخش می‌شود",
        )
    return parts
