"""The templates that profiles ship: right, short enough, saved once, never over the utility's."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.database import Database
from core.operations import REGISTRY
from core.reporting.sources import Sources
from core.templates import store
from core.templates.loading import add_missing
from core.templates.store import Draft, TemplateFilter
from core.templates.types import OnEvents
from gateway.minds import LineMind
from gateway.profiles import load_profile
from gateway.smpp.text import Alphabet
from gateway.templates.checking import Checker
from gateway.templates.shipped import FILE, Shipped, read_shipped, ready
from gateway.templates.written import FormError

PROFILES = Path(__file__).parents[3] / "config" / "profiles"
NAMES = sorted(folder.name for folder in PROFILES.iterdir())
LONGEST = 4
"""Parts that a shipped template may take with example figures."""


def checker(name: str) -> Checker:
    """One line of a profile."""
    mind = LineMind(load_profile(PROFILES / name, REGISTRY), Alphabet.GSM7, 8)
    return Checker({"1000": mind}, Sources({}))


@pytest.fixture(scope="module")
def lorestan() -> list[Shipped]:
    """What Lorestan's profile ships."""
    return read_shipped(PROFILES / "lorestan-water", "lorestan-water", checker("lorestan-water"))


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_ships_templates_that_may_be_saved(name: str) -> None:
    """Their settings, sources and words are right, and no message is a letter."""
    shipped = read_shipped(PROFILES / name, name, checker(name))
    assert shipped
    for each in shipped:
        assert each.checked.parts <= LONGEST, f"{each.name}: {each.checked.example}"


@pytest.mark.parametrize("name", ["kerman-water", "lorestan-water", "qazvin-gas", "qom-power"])
def test_a_bill_without_an_id_names_none(name: str) -> None:
    """Files of utilities may lack it."""
    for each in read_shipped(PROFILES / name, name, checker(name)):
        if each.name in {"bill_issued", "overdue"}:
            before = each.checked.body.partition("شناسه قبض {{ bill_id|fa }}{% endif %}")[0]
            assert before.endswith("{% if bill_id %}\n"), each.name


def test_lorestan_ships_the_patterns_of_annex_2(lorestan: list[Shipped]) -> None:
    """Patterns 10 to 14 are sent on their events."""
    made_of = {
        (kind, dict(each.checked.definition.trigger.where).get("kind"))
        for each in lorestan
        if isinstance(each.checked.definition.trigger, OnEvents)
        for kind in each.checked.definition.trigger.kinds
    }
    assert made_of >= {
        ("voucher_issued", None),
        ("request_registered", "contract_correction"),
        ("request_registered", "bill_cancellation"),
        ("request_changed", "bill_cancellation"),
        ("bill_issued", "period"),
    }


def test_they_are_saved_once(database: Database, lorestan: list[Shipped]) -> None:
    """None is in use but in the demo, and what the utility made of one stays."""

    def enabled() -> list[str]:
        wanted = TemplateFilter(enabled=True)
        return [each.newest.name for each in store.list_templates(connection, wanted)]

    with database.engine.begin() as connection:
        some, others = lorestan[:3], lorestan[3:]
        loaded = add_missing(connection, ready(some, "lorestan-water", "init", 1))
        assert loaded.added == tuple(each.name for each in some)
        assert enabled() == []

        first = store.named(connection, "lorestan-water", some[0].name).newest
        own = Draft("", "", first.definition, "واژه‌های ما", "sara", 2)
        edited = store.edit(connection, first, own)
        again = ready(lorestan, "lorestan-water", "init", 3, demo=True)
        loaded = add_missing(connection, again)
        assert loaded.kept == tuple(each.name for each in some)
        assert loaded.added == tuple(each.name for each in others)
        assert store.named(connection, "lorestan-water", first.name).newest == edited
        assert enabled() == ["bill_issued"]


def test_a_mistake_in_the_file_is_told_with_its_place(tmp_path: Path) -> None:
    """Of the file, whichever template it is in."""
    text = (PROFILES / "qom-power" / FILE).read_text()
    for good, bad, said in (
        ("{{ paid_at|jalali_time }}", "{{ paid_on|jalali_time }}", "no variable 'paid_on'"),
        ('on = "payment_booked"', 'on = "payment_boked"', "did you mean 'payment_booked'"),
        ("attempts = 4", "atempts = 4", "atempts: unknown key; did you mean 'attempts'"),
        ("attempts = 4", 'attempts = "x"', "attempts: "),
        ('hours = "07:00-23:00"', 'hours = "07:00"', "column 1: '07:00' needs an end"),
    ):
        (tmp_path / FILE).write_text(text.replace(good, bad, 1))
        begins = text.index(good)
        line = text.count("\n", 0, begins) + 1
        with pytest.raises(FormError) as error:
            read_shipped(tmp_path, "qom-power", checker("qom-power"))
        assert said in str(error.value)
        assert str(error.value).startswith(f"{tmp_path / FILE}, line {line}, column ")
        if bad.startswith("{{"):
            assert error.value.column == begins - text.rindex("\n", 0, begins) + len("{{ ")
