"""Services as data: what ships covers the seeds, and each mistake in a file is told."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

import cli
from core.operations import REGISTRY
from core.requests.fields import TOLD_BY_TEXT
from core.requests.kinds import About, Door, FeeKind, RequestField, Services, Titled, titled
from core.requests.states import RequestState
from gateway.configuration import ConfigError
from gateway.profiles import load_profile
from gateway.services import STATE_TITLES, check_kind, load_services

PROFILES = Path(__file__).parents[2] / "config" / "profiles"
LORESTAN = load_services(PROFILES / "lorestan-water")
COMPLAINT = '[kinds.complaint]\ntitle = "شکایت"\ndoors = ["text"]\n'
VOUCHER = '[voucher]\naccount = "IR1"\ncompany = "066"\nservice = "1"\n'


def load(folder: Path, text: str) -> Services:
    """The services that a file with this text holds."""
    (folder / "services.toml").write_text(text, encoding="utf-8")
    return load_services(folder)


@pytest.mark.parametrize(
    "item",
    [f"service {number}" for number in range(1, 22)] + [f"counter {n}" for n in (1, 2, 3)],
)
def test_every_service_of_annex_1_is_there(item: str) -> None:
    """The 21 services and the three of the counter offices (seed 000)."""
    found = [kind for kind in LORESTAN.kinds.values() if f"000 annex 1 {item}" in kind.sources]
    assert found
    assert all(kind.doors or kind.answered_by for kind in found)


@pytest.mark.parametrize(
    "profile", sorted(path.parent.name for path in PROFILES.glob("*/services.toml"))
)
def test_whoever_reads_english_is_told_every_title(profile: str) -> None:
    """Of kinds and fields; a profile of others that gives none shows the printed one."""
    for kind in load_services(PROFILES / profile).kinds.values():
        every: tuple[Titled, ...] = (kind, *kind.fields)
        for each in every:
            assert each.title_en.isascii(), each
            assert titled(each, english=True) == each.title_en != ""
            assert titled(each, english=False) == each.title
    assert titled(RequestField("a", "علت"), english=True) == "علت"


@pytest.mark.parametrize("pattern", [5, 6, 7, 8, 9, 11, 12, 13])
def test_what_annex_2_lets_a_subscriber_tell_is_a_kind_of_its_own(pattern: int) -> None:
    """Patterns 5 to 9 come by text, 11 to 13 are of requests registered at a counter."""
    (kind,) = [
        kind for kind in LORESTAN.kinds.values() if f"000 annex 2 pattern {pattern}" in kind.sources
    ]
    assert (Door.TEXT if pattern < 10 else Door.COUNTER) in kind.doors


@pytest.mark.parametrize(
    "profile", sorted(path.parent.name for path in PROFILES.glob("*/services.toml"))
)
def test_what_is_answered_at_once_is_answered_by_something_there_is(profile: str) -> None:
    """An operation, or a command of peyk; and a text can bring all that its kind asks for."""
    for kind in load_services(PROFILES / profile).kinds.values():
        for name in kind.answered_by:
            assert name in REGISTRY or _command(name), name
        if Door.TEXT in kind.doors:
            asked = {field.type for field in kind.fields if field.required}
            assert asked <= TOLD_BY_TEXT, kind.key
            assert not kind.documents, kind.key


def _command(line: str) -> bool:
    group: click.Command = cli.cli
    _peyk, *names = line.split(" --", maxsplit=1)[0].split()
    for name in names:
        assert isinstance(group, click.Group)
        group = group.commands[name]
    return True


def test_the_steps_are_as_the_table_prints_them() -> None:
    """In order; what costs something says so in a step."""
    steps = LORESTAN.kinds["meter_test"].steps
    assert (steps[0], steps[-1]) == (
        "دریافت اطلاعات مربوط به آزمایش کنتور",
        "ثبت درخواست و ارائه شماره درخواست جهت پیگیری",
    )
    for kind in LORESTAN.kinds.values():
        paid = any("هزینه" in step for step in kind.steps)
        assert not paid or kind.fee is not FeeKind.NONE, kind.key


def test_a_utility_without_the_file_takes_no_requests(tmp_path: Path) -> None:
    """As before there were any."""
    assert load_services(tmp_path) == Services()


def test_what_a_file_leaves_out_has_a_default(tmp_path: Path) -> None:
    """A kind without a fee never speaks of one; states are told in words."""
    services = load(tmp_path, COMPLAINT + '[states]\ndone = "بسته شد"\n')
    kind = services.kinds["complaint"]
    assert (kind.fee, kind.about) == (FeeKind.NONE, About.SUBSCRIPTION)
    assert RequestState.PAID not in kind.states
    assert services.state_title("done") == "بسته شد"
    assert services.state_title("paid") == STATE_TITLES[RequestState.PAID]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[kinds.complaint]\ntitle = "شکایت"\n', "nobody can register it"),
        (COMPLAINT + "door = 1\n", "unknown key; did you mean 'doors'?"),
        (COMPLAINT + 'fee = "fixed"\n', "fee_amount does not go with fee"),
        (COMPLAINT + 'fee = "announced"\n', "there is no [voucher]"),
        (COMPLAINT + 'states = ["registered", "in_review"]\n', "begins as registered"),
        (COMPLAINT + 'states = ["registered", "paid", "done"]\n', "without a fee has none of"),
        (
            VOUCHER + COMPLAINT + 'fee = "announced"\nstates = ["registered", "paid", "done"]\n',
            "nothing leads to paid",
        ),
        (COMPLAINT + 'fields.what = { title = "نوع", type = "choice" }\n', "field 'what'"),
        (COMPLAINT.replace("complaint", "Complaint 1"), "kinds"),
        (VOUCHER.replace("066", "66") + COMPLAINT, "voucher.company"),
    ],
)
def test_each_mistake_is_told_where_it_is(tmp_path: Path, text: str, told: str) -> None:
    """One line that names the file, the key, and what to do."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text.replace("[kinds.Complaint 1]", '[kinds."Complaint 1"]'))
    assert told in str(caught.value)
    assert caught.value.file == tmp_path / "services.toml"


def test_a_pattern_names_a_kind_that_texts_may_register() -> None:
    """Otherwise the nearest one is named."""
    assert check_kind(LORESTAN, "reader_complaint") == ""
    assert "did you mean 'reader_complaint'?" in check_kind(LORESTAN, "reader_complain")
    assert "not registered by text" in check_kind(LORESTAN, "water_connection")


@pytest.mark.parametrize("name", ["kerman-water", "lorestan-water"])
def test_vouchers_and_bills_are_of_one_company(name: str) -> None:
    """A bank sends money by the company in the bill ID: both go to the same utility."""
    terms = load_profile(PROFILES / name, REGISTRY).terms
    assert terms.services.voucher is not None
    assert terms.services.voucher.company == terms.billing.company
    assert terms.services.voucher.service == terms.billing.service
