"""A profile's folder: what ships loads and fits, and each mistake in one is told."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from core.calls import MISREAD, Fact, Outcome, Scalar
from core.operations import REGISTRY
from core.policy import Policy
from core.terms import Terms
from gateway.configuration import ConfigError
from gateway.profiles import Profile, load_profile
from gateway.replies import EXAMPLES

PROFILES = Path(__file__).parents[2] / "config" / "profiles"
KERMAN = PROFILES / "kerman-water"
SHIPPED = sorted(folder.name for folder in PROFILES.iterdir())


@pytest.fixture(scope="module")
def kerman() -> Profile:
    """The profile as it ships."""
    return load_profile(KERMAN, REGISTRY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the profile to spoil."""
    return shutil.copytree(KERMAN, tmp_path / "kerman-water")


def spoil(folder: Path, file: str, old: str, new: str) -> ConfigError:
    """Replace ``old`` in a file, and return what loading the folder then says."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_profile(folder, REGISTRY)
    assert caught.value.file == path
    return caught.value


def test_what_ships(kerman: Profile) -> None:
    """The daemon finds Kerman's subscribers under the key that imports use."""
    assert (kerman.name, kerman.utility) == ("kerman-water", "kerman-water")
    assert kerman.terms.policy == Terms().policy
    assert kerman.terms.tariff is not None
    assert {pattern.operation for pattern in kerman.grammar.patterns} <= set(REGISTRY)


def balance(**facts: Fact) -> Outcome:
    """A balance with these facts."""
    given: dict[str, Fact] = {"number": "10000001", "debt": 0, "credit": 0, "due": ""}
    given |= {"bill_id": "", "payment_id": "", "instalments_due": 0}
    return Outcome("balance", "done", given | facts)


@pytest.mark.parametrize(
    ("outcome", "reply"),
    [
        (balance(debt=1_250_000, due=date(2025, 9, 6)),
         "اشتراک ۱۰۰۰۰۰۰۱: بدهی ۱٬۲۵۰٬۰۰۰ ریال، مهلت ۱۴۰۴/۰۶/۱۵"),
        (balance(debt=98_765_000, due=date(2025, 9, 6)),
         "اشتراک ۱۰۰۰۰۰۰۱: بدهی ۹۸٬۷۶۵٬۰۰۰ ریال، مهلت ۱۴۰۴/۰۶/۱۵"),
        (balance(debt=5_000), "اشتراک ۱۰۰۰۰۰۰۱: بدهی ۵٬۰۰۰ ریال"),
        (balance(credit=12_000), "اشتراک ۱۰۰۰۰۰۰۱: ۱۲٬۰۰۰ ریال بستانکار است"),
        (balance(), "اشتراک ۱۰۰۰۰۰۰۱: بدهی ندارد"),
    ],
)  # fmt: skip
def test_a_balance_fits_one_part(kerman: Profile, outcome: Outcome, reply: str) -> None:
    """The answer that is sent most costs one part."""
    assert kerman.render(outcome) == reply
    assert len(reply) <= 70


LAST_BILL: dict[str, Fact] = {
    "number": "10000001", "name": "م*** ر***", "region": "", "period": "1405/02", "used": 1234,
    "from_date": date(2026, 5, 22), "to_date": date(2026, 7, 23), "from_reading": 11111,
    "to_reading": 12345, "amount": 123_456_000, "payable": 123_456_000, "debt": 123_456_000,
    "bill_id": "2050327604613", "payment_id": "12345607001", "due": date(2026, 8, 20),
}  # fmt: skip
"""Figures as long as a home's ever are."""


@pytest.mark.parametrize(
    ("operation", "kind", "facts", "reply"),
    [
        ("mid_bill", "done",
         {"number": "10000001", "reading": 1523, "used": 21, "amount": 350_000,
          "payable": 1_250_000, "bill_id": "2050327604613", "payment_id": "1070189",
          "due": date(2025, 9, 6)},
         ("۱۰۰۰۰۰۰۱ رقم ۱۵۲۳: مصرف ۲۱ مترمکعب\nپرداختنی ۱٬۲۵۰٬۰۰۰ ریال، مهلت ۱۴۰۴/۰۶/۱۵\n"
          "شناسه قبض ۲۰۵۰۳۲۷۶۰۴۶۱۳\nشناسه پرداخت ۱۰۷۰۱۸۹")),
        ("mid_bill", "done",
         {"number": "10000001", "reading": 1523, "used": 21, "amount": 350_000, "payable": 0,
          "bill_id": "2050327604613", "payment_id": "", "due": ""},
         "۱۰۰۰۰۰۰۱ رقم ۱۵۲۳: مصرف ۲۱ مترمکعب\nمبلغ دوره ۳۵۰٬۰۰۰ ریال؛ بدهی ندارد"),
        ("last_bill", "done", LAST_BILL,
         ("قبض ۱۰۰۰۰۰۰۱\n۱۴۰۵/۰۳/۰۱–۱۴۰۵/۰۵/۰۱\nرقم ۱۱۱۱۱–۱۲۳۴۵\n"
          "بدهی ۱۲۳٬۴۵۶٬۰۰۰ ریال تا ۱۴۰۵/۰۵/۲۹\nقبض ۲۰۵۰۳۲۷۶۰۴۶۱۳\nپرداخت ۱۲۳۴۵۶۰۷۰۰۱")),
        ("last_bill", "done", LAST_BILL | {"due": "", "payable": 523_456_000, "debt": 523_456_000},
         ("قبض ۱۰۰۰۰۰۰۱\n۱۴۰۵/۰۳/۰۱–۱۴۰۵/۰۵/۰۱\nرقم ۱۱۱۱۱–۱۲۳۴۵\nدوره ۱۲۳٬۴۵۶٬۰۰۰\n"
          "بدهی ۵۲۳٬۴۵۶٬۰۰۰ ریال فوری\nقبض ۲۰۵۰۳۲۷۶۰۴۶۱۳\nپرداخت ۱۲۳۴۵۶۰۷۰۰۱")),
        ("bill_by_sms", "locked_out", {"minutes": 30},
         "به دلیل چند رمز نادرست، لطفاً ۳۰ دقیقه دیگر دوباره بفرستید."),
        (MISREAD, "wrong_format",
         {"code": "010", "format": "۰۱۰+شماره اشتراک+رمز رایانه",
          "wrong": "رمز رایانه نوشته نشده است"},
         "رمز رایانه نوشته نشده است. چنین بفرستید:\n۰۱۰+شماره اشتراک+رمز رایانه"),
    ],
)  # fmt: skip
def test_replies(
    kerman: Profile, operation: str, kind: str, facts: dict[str, Fact], reply: str
) -> None:
    """Subscribers read whole Persian sentences with their figures in them, in two parts."""
    assert kerman.render(Outcome(operation, kind, facts)) == reply
    assert len(reply) <= 134


ROW: dict[str, Scalar] = {
    "period": "1405/06", "from_date": date(2025, 9, 6), "to_date": date(2025, 9, 6),
    "due_date": date(2025, 9, 6), "paid_at": datetime(2025, 9, 6, tzinfo=UTC), "used": 12,
    "amount": 1000, "payable": 1000, "channel": "internet", "plan": "water", "number": "10000001",
    "mobile": "0913***4567",
}  # fmt: skip


def facts_of(names: frozenset[str]) -> dict[str, Fact]:
    """Facts of these names as operations bring them."""
    figures: dict[str, Fact] = {
        **EXAMPLES, "rows": (ROW,) * 12, "account": "0100324200001", "link": "", "dial": "",
    }  # fmt: skip
    at = datetime(2025, 9, 6, 10, 35, tzinfo=UTC)
    return {
        name: figures.get(name, at if name.endswith(("_at", "_date")) else 12) for name in names
    }


@pytest.mark.parametrize("name", SHIPPED)
def test_every_reply_is_persian(name: str) -> None:
    """No ASCII digit, letter or template mark is left in what subscribers read."""
    profile = load_profile(PROFILES / name, REGISTRY)
    for operation in {pattern.operation for pattern in profile.grammar.patterns}:
        for kind, names in REGISTRY[operation].outcomes.items():
            reply = profile.render(Outcome(operation, kind, facts_of(names)))
            assert reply == reply.strip()
            shown = reply.replace("***", "")
            assert not re.search(r"[0-9A-Za-z{}|]", shown), reply


@pytest.mark.parametrize("name", SHIPPED)
def test_every_english_reply_has_no_persian(name: str) -> None:
    """Whoever writes in Latin letters reads English, but for names of the data."""
    profile = load_profile(PROFILES / name, REGISTRY)
    words = {"name", "usage", "service", "state", "note", "region"}
    for operation in {pattern.operation for pattern in profile.grammar.patterns}:
        for kind, names in REGISTRY[operation].outcomes.items():
            facts = facts_of(names) | dict.fromkeys(names & words, "x")
            reply = profile.render(Outcome(operation, kind, facts), "en")
            assert reply == reply.strip()
            assert not re.search(r"[\u0600-\u06ff{}|]", reply), reply


@pytest.mark.parametrize("name", SHIPPED)
def test_every_reply_takes_two_parts_at_most(name: str) -> None:
    """134 units with real figures in them, lists with as many rows as fit."""
    profile = load_profile(PROFILES / name, REGISTRY)
    for operation in {pattern.operation for pattern in profile.grammar.patterns}:
        for kind, names in REGISTRY[operation].outcomes.items():
            for language in ("", "en"):
                reply = profile.render(Outcome(operation, kind, facts_of(names)), language)
                assert len(reply.encode("utf-16-le")) // 2 <= 134, reply


def test_what_was_wrong_reaches_the_reply(kerman: Profile) -> None:
    """From the text to the answer: the field, its length, and how to write it."""
    problem = kerman.understand("۰۱۰*۱۰۰۰۰۰۰۱*۴۳").problem
    assert problem is not None
    reply = kerman.render(Outcome(MISREAD, problem.kind, problem.facts))
    assert reply.splitlines() == [
        "رمز رایانه باید ۴ تا ۶ رقم باشد. چنین بفرستید:",
        "۰۱۰+شماره اشتراک+رمز رایانه",
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "key", "problem", "hint"),
    [
        ("codes.toml", 'operation = "balance"', 'operation = "balanse"',
         "pattern[1].operation", "'balanse'", "'balance'"),
        ("codes.toml", '["210"]', '["110"]', "pattern[3].codes", "pattern[2]", ""),
        ("codes.toml", '["210"]', '["۱۱۰"]', "pattern[3].codes", "pattern[2]", ""),
        ("codes.toml", '["210"]', '["21*"]', "pattern[3].codes", "'21*'", "digits"),
        ("codes.toml", '"کارکرد"', '"بدهي"', "pattern[2].keywords", "pattern[1]", ""),
        ("codes.toml", '"کارکرد"', '"کد ۵"', "pattern[2].keywords", "cannot name", "letters"),
        ("codes.toml", '["9"]\nkeywords = ["لغو", "لغو قبض", "stop"]', "[]",
         "pattern[4]", "neither codes nor keywords", "bare"),
        ("codes.toml", 'fields = ["number", "code"]', 'fields = ["numbr", "code"]',
         "pattern[1].fields", "'numbr'", "'number'"),
        ("codes.toml", 'fields = ["number", "code"]', 'fields = ["number", "reading"]',
         "pattern[1].fields", "takes no 'reading'", ""),
        ("codes.toml", '"code", "reading"]', '"code"]', "pattern[2].fields", "needs 'reading'", ""),
        ("codes.toml", 'fields = ["number", "code"]', 'fields = ["number", "number"]',
         "pattern[1].fields", "twice", ""),
        ("codes.toml", 'fields = ["number", "code"]', 'fields = ["number", "text"]',
         "pattern[1].fields", "takes no 'text'", ""),
        ("codes.toml", 'fields = ["number", "code"]', 'fields = ["text", "code"]',
         "pattern[1].fields", "not the last", ""),
        ("codes.toml", "registered_may_omit", "may_omit", "pattern[1].may_omit", "unknown key", ""),
        ("profile.toml", "[fields.reading]", "[fields.readings]", "fields.readings", "", ""),
        ("profile.toml", "digits = 8", "digits = 0", "fields.number.digits", "", ""),
        ("profile.toml", "digits = [4, 6]", "digits = [6, 4]", "fields.code.digits", "", ""),
        ("profile.toml", "code_attempts = 5", "code_attempts = 0", "policy.code_attempts", "", ""),
        ("profile.toml", "code_attempts", "code_attemps", "policy.code_attemps", "unknown key",
         "code_attempts"),
        ("replies.toml", "no_bill =", "not_subscribed =",
         "balance.no_bill", "no reply", "[balance]"),
        ("replies.toml", "minutes|fa", "minute|fa", "common.locked_out", "'minute'", "'minutes'"),
        ("replies.toml", "{{ wrong }}.", "{{ wrongs }}.", "misread.wrong_format", "", "'wrong'"),
        ("replies.toml", "{% elif credit %}", "{% elif credit }", "balance.done", "line 1", ""),
        ("replies.toml", "{{ field }} نوشته", "{{ fields }} نوشته", "wrong.missing", "", "field"),
        ("replies.toml", "extra =", "extras =", "wrong", "", ""),
    ],
)  # fmt: skip
def test_each_mistake_is_told(  # noqa: PLR0913, PLR0917
    folder: Path, file: str, old: str, new: str, key: str, problem: str, hint: str
) -> None:
    """A typing mistake in any file stops the daemon at its start, and says where it is."""
    error = spoil(folder, file, old, new)
    assert error.key.startswith(key)
    assert problem in error.problem
    assert hint in error.hint
    assert "<" not in error.hint, "a name is shown as it is written, not as Python shows it"


def test_a_field_needs_its_length(folder: Path) -> None:
    """A command cannot be read without the lengths of its fields."""
    path = folder / "profile.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"\[fields.reading\][^\[]*\[[^\[]*", "", text), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_profile(folder, REGISTRY)
    assert caught.value.key == "pattern[2].fields"
    assert "[fields.reading]" in caught.value.hint


def test_missing_files_are_told(tmp_path: Path) -> None:
    """A profile that a line names and nobody wrote is one clear error."""
    with pytest.raises(ConfigError, match="no such file"):
        load_profile(tmp_path / "nowhere", REGISTRY)


def test_policy_is_read(folder: Path) -> None:
    """A utility's own figures are used, and the defaults for what it does not set."""
    path = folder / "profile.toml"
    text = path.read_text(encoding="utf-8").split("[policy]")[0]
    path.write_text(text + "[policy]\ncode_lock_minutes = 5\nconfirm_within_hours = 2\n")
    policy = load_profile(folder, REGISTRY).terms.policy
    assert policy == Policy(code_lock=timedelta(minutes=5), confirm_within=timedelta(hours=2))


def test_a_format_is_made_where_none_is_written(folder: Path) -> None:
    """A command that the file only declares can still be explained."""
    path = folder / "codes.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"format = .*\n", "", text), encoding="utf-8")
    patterns = load_profile(folder, REGISTRY).grammar.patterns
    assert patterns[0].format == "۰۱۰+شماره اشتراک+رمز رایانه"
    assert "راهنما" in [pattern.format for pattern in patterns]
