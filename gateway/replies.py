"""A profile's replies: Jinja2 templates chosen by operation and outcome.

Templates run in a sandbox (``gateway.sandbox``), see the outcome's facts and nothing else,
and write figures and dates with the filters ``rial``, ``fa``, ``jalali`` and ``jalali_time``.
All that can be wrong with one is found when the profile is loaded: see ``load_replies``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from jinja2 import TemplateError, TemplateSyntaxError
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.calls import DONE, Fact, Misreading, Outcome, Refusal
from core.text import nearest_hint
from gateway.configuration import ConfigError
from gateway.findings import Findings
from gateway.fitted import Fitted, take_apart
from gateway.listing import (
    MOST_UNITS,
    NEXT,
    ROWS,
    START,
    Fits,
    emptied,
    example,
    in_two_parts,
    units,
)
from gateway.sandbox import Write, environment, writer

COMMON: Final = "common"
"""The table of replies for outcomes that an operation has no reply of its own for."""

WORDS: Final = "words"
"""The table of words for what the data has as keys: states, channels."""

Facts: TypeAlias = Mapping[str, Fact]
Expected: TypeAlias = Mapping[str, Mapping[str, frozenset[str]]]
"""For each operation and kind of outcome, the facts that a reply may use."""
Noting: TypeAlias = Callable[[], AbstractContextManager[None]]

EXAMPLES: Final[Facts] = MappingProxyType(
    {
        "topic": "outages",
        "number": "10000001",
        "debt": 123_456_000,
        "credit": 123_456_000,
        "due": date(2025, 9, 6),
        "bill_id": "2050327604613",
        "payment_id": "1234560700189",
        "reading": 12345,
        "used": 1234,
        "last_reading": 11111,
        "last_date": date(2025, 9, 6),
        "minutes": 30,
        "count": 12,
        "digits": 5,
        "amount": 123_456_000,
        "payable": 123_456_000,
        "total": 123_456_000,
        "instalments_due": 123_456_000,
        "name": "محمدحسین ابراهیمی",
        "region": "رفسنجان",
        "period": "1405/06",
        "from_reading": 12345,
        "to_reading": 12345,
        "channel": "internet",
        "year": 1405,
        START: 1,
        NEXT: 13,
        "link": "https://pay.example.ir/p/abcdefghijkmn",
        "dial": "*1522*2050327604613*1234560700189#",
        "fee": 123_456_000,
        "account": "IR062960000000100324200001",
        "tracking": "1000000012",
        "service": "پیشنهادات، انتقادات و بررسی شکایات",
        "kind": "temporary_disconnection",
        "state": "در انتظار تکمیل مدارک",
        "state_key": "voucher_issued",
        "note": "مدارک مالکیت کامل نیست؛ لطفاً به نزدیک‌ترین دفتر مراجعه کنید",
        "usage": "آموزشی و مذهبی",
        "units": 12,
        "capacity": 1200,
        "mobile": "0913***4567",
        "reference": "123456789012",
        "withdrawn": True,
    }
)
"""Figures as long as real ones, to measure replies with."""


class Replies:
    """The replies of a profile, compiled."""

    def __init__(
        self,
        written: Mapping[tuple[str, str], Write],
        lists: Mapping[tuple[str, str], Fitted],
    ) -> None:
        self._render = written
        self._lists = lists
        self._failed = self._render[COMMON, Refusal.FAILED]

    def render(self, outcome: Outcome, fits: Fits = in_two_parts) -> str:
        """Write the reply to ``outcome``; one with a list has as many of its rows as fit.

        An outcome that no reply was asked for when the profile was loaded gets the one for
        a failure. Raises ``jinja2.TemplateError`` when a fact that the reply uses is missing.
        """
        operation, kind, facts = outcome
        key = (operation, kind)
        if key not in self._render:
            key = (COMMON, kind)
        if key not in self._render:
            return self._failed(facts)
        if ROWS in facts and key in self._lists:
            return self._lists[key](facts, fits)
        return self._render[key](facts)

    def speak_of(self, operation: str, kind: str) -> bool:
        """Whether there are words for this outcome; an operation may go without some."""
        return (operation, kind) in self._render or (COMMON, kind) in self._render


def load_replies(  # noqa: PLR0913 - what the loader of a profile knows
    file: Path,
    tables: Mapping[str, Any],
    expected: Expected,
    known: Expected,
    examples: Facts,
    *,
    language: str = "",
    columns: Mapping[str, frozenset[str]] = MappingProxyType({}),
    findings: Findings | None = None,
) -> Replies:
    """Compile the tables of a replies file in ``language`` and check each of them.

    ``[words]`` says what the data has as keys, for the filter ``word``.

    ``expected`` is what must have a reply, ``known`` what may have one, ``examples`` the
    facts to measure with besides ``EXAMPLES``, ``columns`` what the rows of each operation
    that lists something hold. Raises ``ConfigError`` for the first mistake, or notes all of
    them in ``findings``: an operation, outcome or variable that there is none of, a template
    that does not parse, an outcome without a reply, or a reply of more than ``MOST_UNITS``.
    """
    findings = findings or Findings()
    noting, most = findings.noting, findings.most_units
    sandbox = environment(_words(file, tables), language)
    drafts: dict[tuple[str, str], _Draft] = {}
    for operation, kind, source in _sources(file, tables, known, noting):
        with noting():
            drafts[operation, kind] = _compile(file, (operation, kind), source, sandbox)
    figures = {**EXAMPLES, **examples}
    listed = {name: example(holds, figures) for name, holds in columns.items()}
    failed = COMMON, Refusal.FAILED.value
    if failed not in drafts:
        raise ConfigError(file, ".".join(failed), "is missing", "what fails has to be answered")
    with noting():
        drafts[failed].check("any", frozenset(), figures, most)
    for operation, outcomes in known.items():
        used = operation in expected
        for kind, facts in outcomes.items():
            draft = drafts.get((operation, kind)) or (drafts.get((COMMON, kind)) if used else None)
            with noting():
                if draft:
                    shown = {**figures, ROWS: listed.get(operation, ())}
                    draft.check(operation, facts, shown, most)
                elif used and (operation, kind) not in drafts:
                    hint = f"write it under [{operation}] or [{COMMON}]"
                    where = f"{operation}.{kind}"
                    raise ConfigError(file, where, "this outcome has no reply", hint)
    return Replies(
        {key: draft.write for key, draft in drafts.items()},
        {key: draft.fitted for key, draft in drafts.items() if draft.fitted},
    )


def _words(file: Path, tables: Mapping[str, Any]) -> Mapping[str, str]:
    words = tables.get(WORDS, {})
    if not isinstance(words, dict) or not all(isinstance(said, str) for said in words.values()):
        raise ConfigError(file, WORDS, "is not a table of words", 'such as paid = "پرداخت‌شده"')
    return words


def _sources(
    file: Path, tables: Mapping[str, Any], known: Expected, noting: Noting
) -> Iterator[tuple[str, str, str]]:
    for operation, replies in tables.items():
        if operation == WORDS:
            continue
        with noting():
            kinds = _kinds(file, operation, replies, known)
            for kind, source in replies.items():
                with noting():
                    _check_source(file, operation, (kind, source), kinds)
                    yield operation, kind, source


def _kinds(file: Path, operation: str, replies: object, known: Expected) -> set[str]:
    """The kinds of outcomes that a table may have replies to."""
    if operation != COMMON and operation not in known:
        hint = nearest_hint(operation, [*known, COMMON])
        raise ConfigError(file, operation, "there is no such operation", hint)
    if not isinstance(replies, dict):
        raise ConfigError(file, operation, "is not a table of replies")
    return {*Refusal, *Misreading, DONE} if operation == COMMON else set(known[operation])


def _check_source(file: Path, operation: str, reply: tuple[str, object], kinds: set[str]) -> None:
    kind, source = reply
    if kind not in kinds:
        hint = nearest_hint(kind, kinds)
        raise ConfigError(file, f"{operation}.{kind}", "there is no such outcome", hint)
    if not isinstance(source, str) or not source.strip():
        raise ConfigError(file, f"{operation}.{kind}", "is not a text")


def _compile(
    file: Path, key: tuple[str, str], source: str, sandbox: ImmutableSandboxedEnvironment
) -> _Draft:
    try:
        variables = find_undeclared_variables(sandbox.parse(source))
        write = writer(sandbox.from_string(source))
        is_list = variables & {ROWS, NEXT}
        fitted = Fitted(write, take_apart(source, sandbox)) if is_list else None
        return _Draft(file, key, write, fitted, variables)
    except TemplateSyntaxError as error:
        problem = f"is not a valid template: line {error.lineno}: {error.message}"
        raise ConfigError(file, ".".join(key), problem) from None


class _Draft(NamedTuple):
    """A reply that parses, to be checked against the outcomes it is for."""

    file: Path
    key: tuple[str, str]
    write: Write
    fitted: Fitted | None
    """For one with a list."""
    variables: set[str]

    def check(self, operation: str, facts: frozenset[str], figures: Facts, most: int) -> None:
        """Raise ``ConfigError`` unless it can be filled with ``facts`` and has ``most`` units."""
        for name in sorted(self.variables - facts):
            whose = f" for {operation!r}" if self.key[0] == COMMON else ""
            hint = nearest_hint(name, facts) or "this reply has no variables"
            raise self._error(f"there is no variable {name!r}{whose}", hint)
        for figured in _examples(facts, figures):
            long = self._units(figured)
            if long > most:
                row = " and one row" if figured.get(ROWS) else ""
                parts = "two parts hold" if most == MOST_UNITS else "there is room for"
                problem = f"is {long} units long with example figures{row}; {parts} {most}"
                raise self._error(problem, "shorten it")

    def _units(self, figured: Mapping[str, Fact]) -> int:
        try:
            if self.fitted and ROWS in figured:
                return units(self.fitted(figured, in_two_parts))
            return units(self.write(figured))
        except (TemplateError, ValueError, TypeError, AttributeError) as error:
            raise self._error(f"cannot be filled in: {error}") from None

    def _error(self, problem: str, hint: str = "") -> ConfigError:
        return ConfigError(self.file, ".".join(self.key), problem, hint)


def _examples(facts: frozenset[str], figures: Facts) -> Iterator[dict[str, Fact]]:
    """Give facts with every one there, with none there, and with each one of them not."""
    full = {name: figures.get(name, _guess(name)) for name in facts}
    empty = {name: _nothing(value) for name, value in full.items()}
    if isinstance(rows := full.get(ROWS), tuple):
        yield full | {ROWS: emptied(rows)}
    yield full
    yield empty
    for name in facts:
        yield full | {name: empty[name]}
        yield empty | {name: full[name]}


def _guess(name: str) -> Fact:
    if name.endswith("_at"):
        return datetime(2025, 9, 6, 10, 35, tzinfo=UTC)
    if name.endswith(("date", "day")):
        return date(2025, 9, 6)
    return "12345678"


def _nothing(value: Fact) -> Fact:
    if isinstance(value, tuple):
        return ()
    return 0 if isinstance(value, int) else ""
