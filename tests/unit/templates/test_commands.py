"""``peyk template``: written in options and in an editor, tried, enabled, loaded."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import insert, select

from core.database import Database
from core.tables import events, outbox
from tests.commands import PROFILES, Peyk, Ran, caller, furnish, settings_of

SETTINGS = settings_of("qom-power", "1000", profiles=None) + "price = 149\n"
WORDS = "{{ amount|rial }} ریال رسید"


class Office(NamedTuple):
    """Where Qom's staff call the command."""

    folder: Path
    peyk: Peyk

    def json(self, *arguments: object) -> Any:
        """What a call prints as JSON."""
        ran = self.peyk(*arguments, "--json")
        assert ran.code == 0, ran.err
        return json.loads(ran.out)

    @property
    def database(self) -> Database:
        """What the commands work on."""
        return Database(f"sqlite:///{self.folder / 'var' / 'peyk.db'}")


@pytest.fixture
def office(tmp_path: Path, sqlite_database: Database, capfd: pytest.CaptureFixture[str]) -> Office:
    """Qom's, without any template yet."""
    shutil.copytree(PROFILES / "qom-power", tmp_path / "profiles" / "qom-power")
    furnish(tmp_path, SETTINGS, sqlite_database)
    return Office(tmp_path, caller(tmp_path / "peyk.toml", capfd))


def add(office: Office, name: str = "thanks", *more: str) -> Ran:
    """A template of payments that are booked."""
    given = ("--on", "payment_booked", "--topic", "receipts", "--by", "sara", "--body", WORDS)
    return office.peyk("template", "add", name, *given, *more)


def pay(office: Office, amount: int, channel: str = "Qom") -> None:
    """An event, as the core stores it."""
    about = {"number": "10000001", "amount": amount, "reference": channel, "paid_at": "2026-09-21"}
    row = {"id": amount, "utility": "qom-power", "kind": "payment_booked", "at": 0}
    database = office.database
    with database.engine.begin() as connection:
        connection.execute(insert(events).values(**row, about=json.dumps(about)))
    database.close()


def test_a_template_from_options(office: Office) -> None:
    """Added, changed, enabled; every version is kept, and who saved it."""
    ran = add(office)
    assert ran.code == 0, ran.err
    assert "thanks of qom-power: version 1, not in use" in ran.out
    assert "1 part, 149 rial with example figures" in ran.out
    hours = ("--hours", "۸:۰۰ تا ۲۱:۰۰", "--where", "amount=5000", "--by", "ali")
    ran = office.peyk("template", "edit", "thanks", *hours)
    assert "version 2" in ran.out
    assert "version 2 stays" in office.peyk("template", "edit", "thanks", *hours).out
    assert "thanks of qom-power is enabled" in office.peyk("template", "enable", "thanks").out
    assert "is already enabled" in office.peyk("template", "enable", "thanks").out

    (listed,) = office.json("template", "list", "--enabled", "--event", "payment_booked")
    assert (listed["version"], listed["hours"], listed["where"]) == (
        2, "08:00-21:00", {"amount": 5000},
    )  # fmt: skip
    saved = office.json("template", "versions", "thanks")
    assert [(each["version"], each["saved_by"]) for each in saved] == [(2, "ali"), (1, "sara")]
    assert office.json("template", "show", "thanks", "--version", 1)["hours"] == ""
    ran = office.peyk("template", "list")
    assert "payment_booked (amount=5000)" in ran.out


def test_a_schedule_that_is_over_is_told_of(office: Office) -> None:
    """When it is saved and when it is enabled: nothing else would tell that it makes nothing."""
    over = ("--produce", "once 1400/01/01 08:00")
    assert "no time of the schedule of thanks is to come" in add(office, "thanks", *over).err
    assert "no time of the schedule" in office.peyk("template", "enable", "thanks").err
    ended = ("--produce", "every day 08:00", "--ends", "1400/01/01")
    assert "no time of the schedule" in office.peyk("template", "edit", "thanks", *ended).err
    assert office.peyk("template", "edit", "thanks", "--ends", "").err == ""


def test_what_is_printed_is_taken_back(office: Office) -> None:
    """A template goes from one place to another as a file; another source takes over."""
    assert add(office, "thanks", "--starts", "1405/01/01", "--retry-on", "expired").code == 0
    file = office.folder / "thanks.toml"
    file.write_text(office.peyk("template", "show", "thanks").out)
    assert "version 1 stays" in office.peyk("template", "edit", "thanks", "--file", file).out
    assert office.peyk("template", "add", "again", "--file", file).code == 0
    was, new = (office.json("template", "show", name) for name in ("thanks", "again"))
    differ = {key for key in was if was[key] != new[key]}
    assert differ <= {"name", "created_at", "changed_at", "changed_by"}

    given = ("--report", "bills_overdue", "--param", "days=30", "--produce", "every day 09:00")
    ran = office.peyk("template", "edit", "thanks", *given, "--body", "{{ debt|rial }}")
    assert ran.code == 0, ran.err
    found = office.json("template", "show", "thanks")
    assert (found["on"], found["report"], found["parameters"]) == (
        [], "bills_overdue", {"days": "30"},
    )  # fmt: skip
    assert "report bills_overdue (days=30)" in office.peyk("template", "list").out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--body", "{{ amont|rial }}"],
         "body: line 1, column 4: there is no variable 'amont'; did you mean 'amount'?"),
        (["--hours", "25:00-26:00"], "hours: column 1: '25:00' is no time of day"),
        (["--produce", "every dai 08:00"], "produce: column 7: 'dai' is not understood"),
        (["--validity", "5"], "validity: '5' is no span of time such as 30s"),
        (["--line", "1001"], "line: qom-power has no line '1001' in the settings; did you mean"),
        (["--report", "x"], "report: say one of on, report, outage_before"),
        (["--audience", "advertising"],
         "audience: is advertising, and the line 1000 carries service messages"),
        (["--attempts", "0"], "attempts: 0 is not between 1 and 50"),
        (["--starts", "1405/13/01"], "starts: there is no day"),
        (["--where", "amount=much"], "where: amount is compared with 'much', but it is a number"),
        (["--body", "x" * 2000], "with example figures it takes"),
    ],
)  # fmt: skip
def test_mistakes_in_options(office: Office, given: list[str], said: str) -> None:
    """One line that says what is wrong, where, and what to write; nothing is saved."""
    ran = add(office, "thanks", *given)
    assert ran.code == 1
    assert said in ran.err
    assert office.json("template", "list") == []


def test_mistakes_in_names(office: Office) -> None:
    """A name that is taken, one that nobody has, a report that there is none of."""
    assert add(office).code == 0
    assert "qom-power has a template 'thanks' already" in add(office).err
    assert "did you mean 'thanks'?" in office.peyk("template", "show", "thank").err
    given = ("template", "add", "due", "--report", "bills_overdu", "--body", "x")
    assert "did you mean 'bills_overdue'?" in office.peyk(*given).err
    given = ("template", "add", "due", "--report", "bills_overdue", "--param", "dais=1")
    assert "has no parameter 'dais'" in office.peyk(*given, "--body", "x").err
    conditions = (
        ("bill_issued", "kind=periodd", "kind is never 'periodd'; did you mean 'period'?"),
        ("request_changed", "state_key=don", "state_key is never 'don'; did you mean 'done'?"),
        ("request_registered", "kind=leek", "kind is never 'leek'; "),
    )
    for kind, where, said in conditions:
        conditioned = ("template", "add", "due", "--body", "x", "--on", kind, "--where", where)
        assert f"where: {said}" in office.peyk(*conditioned).err


def editor(monkeypatch: pytest.MonkeyPatch, folder: Path, *rounds: tuple[str, str]) -> Path:
    """An editor that replaces one text by another, each time that it is opened."""
    seen = folder / "seen"
    script = folder / "editor.py"
    script.write_text(
        f"import sys, pathlib\nrounds = {rounds!r}\nseen = pathlib.Path({str(seen)!r})\n"
        "seen.mkdir(exist_ok=True)\nround = len(list(seen.iterdir()))\n"
        "file = pathlib.Path(sys.argv[1])\ntext = file.read_text()\n"
        "(seen / str(round)).write_text(text)\n"
        "if round < len(rounds):\n    assert rounds[round][0] in text\n"
        "    file.write_text(text.replace(*rounds[round]))\n"
    )
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    monkeypatch.delenv("VISUAL", raising=False)
    return seen


def test_an_editor_is_opened_again_until_it_is_right(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each mistake is told with its line and column, in the file that comes back too."""
    assert add(office).code == 0
    seen = editor(
        monkeypatch,
        office.folder,
        ("attempts = 5", "atempts = 9"),
        ("atempts = 9", "attempts = 9"),
    )
    ran = office.peyk("template", "edit", "thanks")
    assert ran.code == 0, ran.err
    assert "version 2" in ran.out
    lines = (seen / "1").read_text().splitlines()
    line = next(number for number, each in enumerate(lines, 1) if each.startswith("atempts"))
    said = f"line {line}, column 1: atempts: unknown key; did you mean 'attempts'?"
    assert lines[0] == f"# {said}"
    assert said in ran.err
    assert office.json("template", "show", "thanks")["attempts"] == 9


def test_an_editor_that_gives_up(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is saved when nothing was changed, or a mistake was left as it is."""
    assert add(office).code == 0
    editor(monkeypatch, office.folder)
    ran = office.peyk("template", "edit", "thanks")
    assert (ran.code, "nothing was changed; nothing is saved" in ran.err) == (1, True)
    folder = office.folder / "other"
    folder.mkdir()
    editor(monkeypatch, folder, ("{{ amount|rial }}", "{{ amount|rail }}"))
    ran = office.peyk("template", "edit", "thanks")
    assert ran.code == 1
    assert "column 11: body: there is no filter 'rail'; did you mean 'rial'?; nothing" in ran.err
    assert office.json("template", "show", "thanks")["version"] == 1


def test_previews_are_of_what_happened(office: Office) -> None:
    """The newest events that are meant, their parts and cost; an example before there are any."""
    assert add(office, "thanks", "--where", "reference=Qom").code == 0
    ran = office.peyk("template", "preview", "thanks")
    assert "--- there is no row yet: these are example figures" in ran.out
    for amount in (1_000, 2_000, 3_000):
        pay(office, amount)
    pay(office, 4_000, "elsewhere")
    ran = office.peyk("template", "preview", "thanks", "--rows", 2)
    assert ran.out.splitlines() == [
        "--- 1 part, 149 rial", "۳٬۰۰۰ ریال رسید", "--- 1 part, 149 rial", "۲٬۰۰۰ ریال رسید",
    ]  # fmt: skip
    found = office.json("template", "preview", "thanks")
    assert [each["cost"] for each in found["messages"]] == [149, 149, 149]
    given = ("--report", "bills_overdue", "--body", "{{ debt|rial }}")
    assert office.peyk("template", "add", "due", *given).code == 0
    assert office.json("template", "preview", "due")["rows"] == 0


def test_one_message_to_try(office: Office) -> None:
    """It is queued for the mobile that is named, and for nobody else."""
    assert add(office).code == 0
    ran = office.peyk("template", "test", "thanks", "--to", "0913 123 4567")
    assert "to 989131234567 is queued: 1 part, 149 rial" in ran.out
    ran = office.peyk("template", "test", "thanks", "--to", "09131234567", "--real")
    assert "there is no row for 'thanks' yet" in ran.err
    pay(office, 7_000)
    ran = office.peyk("template", "test", "thanks", "--to", "09131234567", "--real")
    assert ran.code == 0, ran.err
    assert office.peyk("template", "test", "thanks", "--to", "123").code == 2
    no = "optout", "add", "09132222222", "--utility", "qom-power", "--topic", "receipts"
    assert office.peyk(*no).code == 0
    ran = office.peyk("template", "test", "thanks", "--to", "09132222222")
    assert "989132222222 wants no 'receipts': nothing was sent" in ran.err
    database = office.database
    with database.engine.begin() as connection:
        found = connection.execute(select(outbox.c.mobile, outbox.c.text).order_by(outbox.c.id))
        assert found.all() == [
            ("989131234567", "۱۲۳٬۴۵۶٬۰۰۰ ریال رسید"), ("989131234567", "۷٬۰۰۰ ریال رسید"),
        ]  # fmt: skip
    database.close()


def test_profiles_bring_theirs(office: Office) -> None:
    """`peyk init` saves them once, not in use; the demo uses those that are meant for it."""
    ran = office.peyk("init")
    assert (
        "templates of qom-power: bill_issued, payment_receipt, outage_notice, outage_cancelled new"
        in ran.out
    )
    assert "none new, 4 kept" in office.peyk("template", "load", "qom-power").out
    assert office.json("template", "list", "--enabled") == []
    assert "did you mean 'qom-power'?" in office.peyk("template", "load", "qom").err
    (office.folder / "var" / "peyk.db").unlink()
    assert office.peyk("init", "--demo").code == 0
    (enabled,) = office.json("template", "list", "--enabled")
    assert enabled["name"] == "bill_issued"
