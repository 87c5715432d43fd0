"""``tariff.toml``: what it becomes, and how each mistake in one is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from core.jalali import from_jalali
from core.tariff import Block, Fee, Note, Rates, Season, Wastewater
from gateway.configuration import ConfigError
from gateway.tariffs import load_tariff

SHIPPED = Path(__file__).parents[2] / "config" / "profiles"

WHOLE = """
[usages]
home = ["خانگی", ""]
industrial = ["صنعتی"]

[[vat]]
since = "1394/01/01"
percent = 9

[[versions]]
since = "1395/01/01"
blocks = [{ up_to = 5, rate = 710 }, { rate = 1062 }]
usages = { industrial = { rate = 2880, free_rate = 33462 } }

[[versions]]
since = "1397/01/01"
blocks = [{ rate = 1518 }]
subscription = { home = 10, other = 20 }
usages = { industrial = { rate = 6163, free_rate = 71609 } }
wastewater = { home = 70, other = 100, fee = { home = 1, other = 2 } }
season = { first = "02/31", last = "06/31", above = 25, percent = 20 }
notes = [{ name = "تبصره ۳", pattern = 20, within = 150, above = 300 }]
regions = { "بم" = 90 }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a tariff of two versions."""
    path = tmp_path / "tariff.toml"
    path.write_text(WHOLE, encoding="utf-8")
    return path


def test_everything_a_tariff_can_say(file: Path) -> None:
    """Each key arrives where it belongs."""
    tariff = load_tariff(file)
    assert tariff is not None
    first, second = tariff.versions
    assert (first.since, first.blocks) == (
        from_jalali(1395, 1, 1),
        (Block(5, 710), Block(None, 1062)),
    )
    assert second.usages == {"industrial": Rates(6163, 71609)}
    assert second.subscription == Fee(10, 20)
    assert second.wastewater == Wastewater(70, 100, Fee(1, 2))
    assert second.season == Season((2, 31), (6, 31), 25, 20)
    assert second.notes == (Note("تبصره ۳", 20, 150, 300),)
    assert second.regions == {"بم": 90}
    assert [vat.percent for vat in tariff.vat] == [9]


def test_usages_go_by_the_names_in_the_data(file: Path) -> None:
    """And by their own; any other name has no price."""
    tariff = load_tariff(file)
    assert tariff is not None
    names = ("خانگي", "", " صنعتی ", "Industrial", "کاخ")
    assert [tariff.usage(name) for name in names] == [
        "home", "home", "industrial", "industrial", None,
    ]  # fmt: skip


def test_a_day_may_be_of_either_calendar(file: Path) -> None:
    """As everywhere else."""
    text = file.read_text(encoding="utf-8").replace('"1397/01/01"', "2018-03-21")
    file.write_text(text, encoding="utf-8")
    tariff = load_tariff(file)
    assert tariff is not None
    assert tariff.versions[1].since == date(2018, 3, 21)


def test_a_profile_without_the_file_has_no_tariff(tmp_path: Path) -> None:
    """Its bills are not computed here."""
    assert load_tariff(tmp_path / "tariff.toml") is None


@pytest.mark.parametrize(
    ("old", "new", "key", "problem"),
    [
        ("rate = 710", "rate = -1", "versions[1].blocks[1].rate", "greater than or equal to 0"),
        ("rate = 710", "rate = 7, to = 5", "versions[1].blocks[1].to", "did you mean 'up_to'?"),
        ("up_to = 5", "up_to = 0", "versions[1].blocks[1].up_to", "greater than 0"),
        (
            "{ rate = 1062 }",
            "{ up_to = 9, rate = 1062 }",
            "versions[1].blocks",
            "last block has an end",
        ),
        (
            "{ up_to = 5, rate = 710 }",
            "{ up_to = 5, rate = 7 }, { up_to = 5, rate = 8 }",
            "versions[1].blocks",
            "ascend",
        ),
        ("{ up_to = 5, rate = 710 }", "{ rate = 710 }", "versions[1].blocks", "ascend"),
        ('"1397/01/01"', '"1395/01/01"', "versions[2].since", "not after"),
        ('"1397/01/01"', '"1397/13/01"', "versions[2].since", "there is no day"),
        ('"1397/01/01"', '"soon"', "versions[2].since", "is not a date"),
        ("percent = 9", "percent = 9.5", "vat[1].percent", "integer"),
        ('home = ["خانگی", ""]', 'homes = ["خانگی", ""]', "usages.home", "is missing"),
        ('["صنعتی"]', '["صنعتی", "خانگی"]', "usages.industrial", "a name of 'home' already"),
        (
            "{ industrial = { rate = 6163, free_rate = 71609 } }",
            "{}",
            "versions[2].usages.industrial",
            "no price",
        ),
        (
            "{ industrial = { rate = 6163, free_rate = 71609 } }",
            "{ industry = { rate = 1, free_rate = 1 }, industrial = { rate = 1, free_rate = 1 } }",
            "versions[2].usages.industry",
            "did you mean 'industrial'?",
        ),
        ('"02/31"', '"07/31"', "versions[2].season.first", "no such day"),
        ('"06/31"', '"31 Shahrivar"', "versions[2].season.last", "not a month and a day"),
        ('"بم" = 90', '"بم" = 0', "versions[2].regions.بم", "greater than 0"),
    ],
)
def test_a_mistake_is_one_clear_error(
    file: Path, old: str, new: str, key: str, problem: str
) -> None:
    """The file, the key, what is wrong."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_tariff(file)
    assert (caught.value.file, caught.value.key) == (file, key)
    assert problem in str(caught.value)


@pytest.mark.parametrize("profile", ["kerman-water", "lorestan-water"])
def test_what_ships_has_the_published_rates(profile: str) -> None:
    """Those of 1395 and 1397, and VAT of 9 and then 10 percent."""
    tariff = load_tariff(SHIPPED / profile / "tariff.toml")
    assert tariff is not None
    assert [version.blocks[0].rate for version in tariff.versions] == [710, 1518]
    assert [version.blocks[-1] for version in tariff.versions] == [
        Block(None, 33462),
        Block(None, 71609),
    ]
    assert tariff.versions[1].usages["government"].rate == 8320
    assert [vat.percent for vat in tariff.vat] == [9, 10]
