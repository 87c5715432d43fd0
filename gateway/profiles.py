"""A utility's profile: its rules, the commands it publishes, and its words.

A profile is a folder of TOML files, named as the folder: ``profile.toml`` (title, key in the
database, lengths of fields, policy), ``codes.toml`` (commands), ``replies.toml`` (texts) and,
where it answers in English too, ``replies.en.toml``.
``load_profile`` checks them against the operations there are, so that a running daemon
cannot come upon a mistake in one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field as Setting
from pydantic import field_validator

from core.calls import (
    MISREAD,
    Argument,
    Call,
    Candidate,
    Misreading,
    Outcome,
    Problem,
    Understanding,
)
from core.payments.ledger import NOTICE as PAYMENT_NOTICE
from core.payments.ledger import NOTICES as PAYMENT_NOTICES
from core.policy import Policy
from core.readings.control import DECISION, DECISIONS
from core.requests.kinds import Services
from core.terms import BillingTerms, Terms
from gateway.configuration import ConfigError, Frozen, read_model
from gateway.findings import Findings
from gateway.languages import OWN, load_languages
from gateway.listing import Fits, in_two_parts
from gateway.replies import WORDS, Facts, Replies, load_replies
from gateway.rules.choose import choose
from gateway.rules.grammar import Grammar, Wording, words_of
from gateway.rules.match import understand
from gateway.rules.pattern import Field
from gateway.rules.published import Codes, OperationLike, patterns_of
from gateway.services import check_kind, load_services
from gateway.tariffs import load_tariff

MISREADINGS: Final[Mapping[str, frozenset[str]]] = {
    Misreading.EMPTY: frozenset(),
    Misreading.UNKNOWN_CODE: frozenset(),
    Misreading.WRONG_FORMAT: frozenset({"code", "format", "wrong"}),
    Misreading.BAD_CHECK_DIGIT: frozenset({"code", "format", "wrong"}),
    Misreading.INCOMPLETE: frozenset(),
    Misreading.AMBIGUOUS: frozenset({"code", "format"}),
}
"""The facts that a reply to a misread message may use."""

NOTICES_OF: Final[Mapping[str, tuple[str, Mapping[str, frozenset[str]]]]] = {
    "pay": (PAYMENT_NOTICE, PAYMENT_NOTICES),
    "submit_reading": (DECISION, DECISIONS),
    "mid_bill": (DECISION, DECISIONS),
}
"""What follows later from an operation has replies as well: operation → their table, its kinds."""

_LONGEST_FIELD: Final = 20
_POSITIVE = Annotated[int, Setting(gt=0)]


class _Policy(Frozen):
    code_attempts: _POSITIVE | None = None
    code_window_minutes: _POSITIVE | None = None
    code_lock_minutes: _POSITIVE | None = None
    confirm_within_hours: _POSITIVE | None = None
    plausible_factor: _POSITIVE | None = None
    plausible_units: _POSITIVE | None = None
    rollover_share: Annotated[int, Setting(ge=0, le=100)] | None = None
    open_operations: frozenset[str] | None = None

    def made(self) -> Policy:
        """Make the policy; what the file does not set keeps its default."""
        given: dict[str, Any] = {}
        for key, value in self.model_dump(exclude_none=True).items():
            name, _, unit = key.rpartition("_")
            if unit in {"minutes", "hours"}:
                given[name] = timedelta(**{unit: value})
            else:
                given[key] = value
        return Policy(**given)


class _Field(Frozen):
    title: Annotated[str, Setting(min_length=1)]
    digits: int | tuple[int, int]

    @field_validator("digits")
    @classmethod
    def _in_order(cls, digits: int | tuple[int, int]) -> int | tuple[int, int]:
        shortest, longest = (digits, digits) if isinstance(digits, int) else digits
        if not 1 <= shortest <= longest <= _LONGEST_FIELD:
            raise ValueError(f"is not a count or [shortest, longest] within 1..{_LONGEST_FIELD}")
        return digits

    def made(self) -> Field:
        if isinstance(self.digits, int):
            return Field(self.title, self.digits, self.digits)
        return Field(self.title, *self.digits)


class _Billing(Frozen):
    company: Annotated[str, Setting(pattern=r"^([0-9]{3})?$")] = ""
    service: Annotated[str, Setting(pattern=r"^[1-9]$")] = "1"
    due_days: Annotated[int, Setting(ge=0, le=365)] = 15

    def made(self) -> BillingTerms:
        return BillingTerms(self.company, self.service, self.due_days)


class _Profile(Frozen):
    title: Annotated[str, Setting(min_length=1)]
    utility: Annotated[str, Setting(min_length=1)]
    fields: dict[Argument, _Field] = Setting(default_factory=dict)
    policy: _Policy = _Policy()
    billing: _Billing = _Billing()


@dataclass(frozen=True)
class Profile:
    """A utility's rules and words, ready for use."""

    name: str
    """The name of its folder."""
    utility: str
    """Its key in the database."""
    title: str
    terms: Terms
    grammar: Grammar = field(repr=False)
    replies: Replies = field(repr=False)
    other_replies: Mapping[str, Replies] = field(default_factory=dict, repr=False)
    """By language: those of ``replies.en.toml``."""
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """By language, the words for what the data has as keys: ``[words]`` of its replies."""

    def understand(self, text: str) -> Understanding:
        """All that the form of a subscriber's text allows it to say; never raises."""
        return understand(self.grammar, text)

    def choose(
        self, understanding: Understanding, valid: Callable[[Call], bool]
    ) -> Candidate | Problem:
        """The reading to act on: see ``gateway.rules.choose``."""
        return choose(understanding, valid)

    def render(self, outcome: Outcome, language: str = "", fits: Fits = in_two_parts) -> str:
        """Write the reply to ``outcome``, in ``language`` where there are replies in it."""
        return self.other_replies.get(language, self.replies).render(outcome, fits)


def load_profile(
    directory: Path, operations: Mapping[str, OperationLike], findings: Findings | None = None
) -> Profile:
    """Read and check the profile in ``directory``.

    Raises ``ConfigError`` for the first mistake in any of its files; with ``findings`` that
    keep all, only for one that nothing can be read beyond.
    """
    findings = findings or Findings()
    settings = read_model(directory / "profile.toml", _Profile)
    fields = {argument: given.made() for argument, given in settings.fields.items()}
    codes_file = directory / "codes.toml"
    codes = read_model(codes_file, Codes)
    patterns = patterns_of(codes_file, codes, fields, operations, findings)
    services = load_services(directory)
    _check_kinds(codes_file, codes, services, findings)
    spoken = load_languages(directory, fields, patterns)
    wordings = {language: said.wording for language, said in spoken.items()}
    wording = wordings.pop(OWN)
    grammar = Grammar(patterns, fields, wording, words_of(codes.courtesies), wordings)
    known = {name: operation.outcomes for name, operation in operations.items()}
    known[MISREAD] = MISREADINGS
    known.update(NOTICES_OF.values())
    used = [each.operation for each in patterns]
    used += [NOTICES_OF[name][0] for name in used if name in NOTICES_OF]
    expected = {name: known[name] for name in (*used, MISREAD)}
    columns = {name: operation.rows for name, operation in operations.items()}
    replies = {
        language: load_replies(
            said.file,
            said.tables,
            expected,
            known,
            _examples(grammar, said.wording),
            language=language,
            columns=columns,
            findings=findings,
        )
        for language, said in spoken.items()
    }
    return Profile(
        directory.name,
        settings.utility,
        settings.title,
        Terms(
            policy=settings.policy.made(),
            billing=settings.billing.made(),
            tariff=load_tariff(directory / "tariff.toml"),
            services=services,
        ),
        grammar,
        replies.pop(OWN),
        replies,
        {language: said.tables.get(WORDS, {}) for language, said in spoken.items()},
    )


def _check_kinds(file: Path, codes: Codes, services: Services, findings: Findings) -> None:
    """A pattern that registers what the utility does not take by text is a mistake."""
    for place, given in enumerate(codes.pattern, 1):
        kind = given.given.get(Argument.KIND)
        problem = check_kind(services, kind) if kind else ""
        if problem:
            findings.add(ConfigError(file, f"pattern[{place}].with.kind", problem))


def _examples(grammar: Grammar, wording: Wording) -> Facts:
    """Give the longest facts that the profile itself puts into replies."""
    phrases = [*wording.missing.values(), *wording.length.values(), *wording.check.values()]
    formats = [wording.formats.get(each.rank, each.format) for each in grammar.patterns]
    number = grammar.fields.get(Argument.NUMBER)
    return {
        "code": max((pattern.name for pattern in grammar.patterns), key=len, default=""),
        "format": max(formats, key=len, default=""),
        "wrong": max((*phrases, wording.extra, wording.alone), key=len),
        "number": "1" * (number.longest if number else 8),
    }
