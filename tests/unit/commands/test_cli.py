"""The command: what it prints, what it exits with, and how it says what went wrong."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from sqlalchemy import func, insert, select

import cli
from core.alerts import Alert, store_alerts
from core.database import Database
from core.ids import IdMaker
from core.inbox import ANSWERED, INCOMPLETE, SET_ASIDE, UNANSWERABLE
from core.tables import audit, inbox, outbox, subscribers
from gateway.smpp.smsc_control import Answer
from tests.commands import Peyk, settings_of
from tests.ports import free_port

NOW = 1_790_000_000_000
MOBILE = "989131234567"
SETTINGS = settings_of("kerman-water", "100034122", profiles=None)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with settings and a profile's folder; nothing is initialised."""
    (tmp_path / "profiles" / "kerman-water").mkdir(parents=True)
    (tmp_path / "peyk.toml").write_text(SETTINGS)
    return tmp_path


@pytest.fixture
def database(home: Path, sqlite_database: Database, peyk: Peyk) -> Iterator[Database]:
    """The database that the command uses, with its tables."""
    path = sqlite_database.url.database
    assert path is not None
    (home / "var").mkdir()
    (home / "var" / "key").write_text("k" * 32)
    shutil.copy(path, home / "var" / "peyk.db")
    opened = Database(f"sqlite:///{home / 'var' / 'peyk.db'}")
    yield opened
    opened.close()


def _store(database: Database, *states: str, mobile: str = MOBILE, made: int = NOW) -> list[int]:
    ids = list(IdMaker(0, lambda: made).take(len(states)))
    columns = {"mobile": mobile, "line": "100034122", "text": "بدهی ۱۰۰ ریال\nمهلت ۱۴۰۵/۰۷/۲۷"}
    with database.engine.begin() as connection:
        for row_id, state in zip(ids, states, strict=True):
            connection.execute(
                insert(outbox).values(
                    id=row_id,
                    message_id=row_id,
                    part=1,
                    parts=1,
                    priority=0,
                    state=state,
                    attempts=1,
                    max_attempts=3,
                    resend_uncertain=False,
                    created_at=made,
                    due_at=made,
                    changed_at=made,
                    **columns,
                )
            )
    return ids


def _states(database: Database) -> list[str]:
    with database.engine.connect() as connection:
        return list(connection.scalars(select(outbox.c.state).order_by(outbox.c.id)))


# --- being called ---------------------------------------------------------------------


def _commands(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, *path, name)
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(_commands(cli.cli)), ids=" ".join)
def test_every_command_explains_itself_with_an_example(peyk: Peyk, path: tuple[str, ...]) -> None:
    """--help of every command needs no settings and shows how it is called."""
    ran = peyk(*path, "--help")

    assert ran.code == 0
    assert "Example:" in " ".join(ran.out.split())
    assert f"peyk {path[0]}" in " ".join(ran.out.split()) if path else True


@pytest.mark.parametrize("path", list(_commands(cli.cli)), ids=" ".join)
def test_an_example_is_one_line_of_its_own(
    peyk: Peyk, path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can be copied whole, however narrow the terminal is."""
    monkeypatch.setenv("COLUMNS", "40")
    lines = peyk(*path, "--help").out.splitlines()

    example = lines[lines.index("Example:") + 1].strip()
    assert example.startswith("peyk")
    assert all(word in example for word in path)


@pytest.mark.parametrize("path", [(), ("outbox",)])
def test_a_group_alone_says_what_there_is(
    path: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    """Called without a command it prints its help as it is, and ends as misused."""
    with pytest.raises(SystemExit) as ended:
        cli.main(path)

    told = capfd.readouterr()
    assert (ended.value.code, told.out) == (2, "")
    assert told.err.startswith("Usage: peyk")


def test_a_misuse_is_one_sentence_and_where_to_read_on(peyk: Peyk) -> None:
    """Whatever the reason ends with."""
    assert peyk("inbox", "--mobile", "12").err == (
        "peyk: not a mobile number: '12'. See `peyk inbox --help`.\n"
    )


@pytest.mark.parametrize("number", [0, -5, 10**30])
def test_an_id_that_no_message_can_have_is_a_misuse(peyk: Peyk, number: int) -> None:
    """SQLite takes no greater one than 64 bits hold."""
    for verb in ("show", "resend", "cancel"):
        ran = peyk("outbox", verb, "--", number)
        assert (ran.code, ran.err.count("\n")) == (2, 1)
        assert "range" in ran.err


@pytest.mark.parametrize("state", [ANSWERED, SET_ASIDE, INCOMPLETE, UNANSWERABLE])
def test_the_inbox_is_searched_by_the_states_that_are_stored(
    database: Database, peyk: Peyk, state: str
) -> None:
    """Every state that a batch gives a message can be asked for."""
    assert peyk("inbox", "--state", state).code == 0


def test_a_database_that_cannot_be_opened_is_named(home: Path, peyk: Peyk) -> None:
    """The driver alone would only say that some file cannot be opened."""
    (home / "var").mkdir()
    (home / "var" / "key").write_text("k" * 32)
    (home / "var" / "peyk.db").mkdir()

    ran = peyk("inbox")

    assert ran.code == 1
    assert f"the database sqlite:///{home}/var/peyk.db cannot be used: " in ran.err


def test_the_version_is_that_of_the_distribution(peyk: Peyk) -> None:
    """--version says which Peyk this is."""
    assert peyk("--version").out.startswith("peyk ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["helth"], "helth"),
        (["inbox", "--from", "1404/13/01"], "1404/13/01"),
        (["inbox", "--mobile", "12345"], "12345"),
        (["inbox", "--limit", "0"], "--limit"),
        (["outbox", "list", "--state", "lost"], "lost"),
        (["outbox", "resend"], "ids"),
        (["outbox", "cancel", "5", "--line", "1"], "not both"),
        (["import", "tariffs", "x.csv"], "tariffs"),
        (["import", "bills", "/no/such.csv"], "/no/such.csv"),
        (["sms", "--to", "1", "010"], "--from"),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(peyk: Peyk, arguments: list[str], says: str) -> None:
    """A wrong call names what was wrong and where help is, without a traceback."""
    ran = peyk(*arguments)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("peyk: ")
    assert ran.err.count("\n") == 1
    assert says in ran.err


def test_a_mistake_in_the_settings_is_one_line_and_exit_code_2(home: Path, peyk: Peyk) -> None:
    """Every command says the same about a wrong settings file."""
    (home / "peyk.toml").write_text(SETTINGS.replace("system_id", "sistem_id"))

    ran = peyk("health")

    assert ran.code == 2
    assert ran.err.startswith(f"peyk: {home / 'peyk.toml'}: ")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["inbox"], ["outbox", "list"], ["outbox", "show", "1"]])
def test_before_init_a_command_says_to_run_it(home: Path, peyk: Peyk, arguments: list[str]) -> None:
    """Without a database the way out is named, and no empty database is made."""
    (home / "var").mkdir()
    (home / "var" / "key").write_text("k" * 32)

    ran = peyk(*arguments)

    assert ran.code == 1
    assert "run `peyk init`" in ran.err
    assert not (home / "var" / "peyk.db").exists()


def test_an_unexpected_error_is_one_line(peyk: Peyk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours is told in one line, and where it is on request."""
    monkeypatch.setattr("gateway.commands.setup.initialise", lambda *_a, **_k: int("x"))

    ran = peyk("init")

    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert "ValueError" in ran.err
    assert "PEYK_DEBUG=1" in ran.err

    monkeypatch.setenv("PEYK_DEBUG", "1")
    with pytest.raises(ValueError, match="x"):
        peyk("init")


# --- init -----------------------------------------------------------------------------


def test_init_makes_a_key_and_a_database_once(home: Path, peyk: Peyk) -> None:
    """A second init keeps the key; both are for their owner only."""
    first = peyk("init")
    key = (home / "var" / "key").read_text()
    second = peyk("init")

    assert (first.code, second.code) == (0, 0)
    assert "keep a copy" in first.out
    assert "keep a copy" not in second.out
    assert (home / "var" / "key").read_text() == key
    assert (home / "var").stat().st_mode & 0o077 == 0


def test_the_sample_data_is_filled_in_once(home: Path, peyk: Peyk) -> None:
    """A second init --demo leaves the sample subscribers as they were."""
    counts = []
    for _ in range(2):
        assert peyk("init", "--demo").code == 0
        opened = Database(f"sqlite:///{home / 'var' / 'peyk.db'}")
        with opened.engine.connect() as connection:
            counts.append(connection.scalar(select(func.count()).select_from(subscribers)))
        opened.close()

    assert counts[0] == counts[1]
    assert counts[0] is not None
    assert counts[0] >= 1000


# --- health ---------------------------------------------------------------------------


def test_health_without_a_daemon_is_down(database: Database, peyk: Peyk) -> None:
    """No daemon: exit code 2, and the reason for people and for programs."""
    for_people = peyk("health")
    for_programs = peyk("health", "--json")

    assert (for_people.code, for_programs.code) == (2, 2)
    assert for_people.out.startswith("down\n- the daemon is not running")
    assert json.loads(for_programs.out)["status"] == "down"


def test_health_shows_what_the_daemon_says(
    database: Database, peyk: Peyk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status, problems, every bind and every door reach the terminal; the exit code follows."""
    said: dict[str, Any] = {
        "status": "degraded",
        "problems": ["bind irancell is down (waiting for 5 s)"],
        "version": "0.1.0",
        "uptime_seconds": 3600,
        "lines": ["100034122"],
        "database": {"name": "sqlite:///peyk.db", "reachable": True},
        "queues": {"arrivals": 0, "waiting": 2, "sending": 1, "oldest_waiting_seconds": 3.0},
        "binds": [
            {
                "name": "irancell",
                "state": "waiting",
                "since": "2026-09-21T14:13:20.000+00:00",
                "window": 50,
                "in_flight": 0,
                "queued": 0,
                "rate": 100.0,
                "held_seconds": 0.0,
                "slowed_to": 50.0,
                "last_traffic": None,
                "reconnects": 3,
                "last_error": "refused",
            }
        ],
        "ussd": {
            "open": 7,
            "most": 200,
            **dict.fromkeys(("opened", "ended", "expired", "late", "limited", "unknown"), 0),
            "repeated": 3,
            "shown": 41,
            **dict.fromkeys(("retried", "dropped", "uncertain"), 0),
        },
        "panels": [],
        "node": 0,
        "peers": [
            {
                "node": 1,
                "host": "east",
                "version": "0.1.0",
                "alive": False,
                "started_at": "2026-09-21T14:13:20.000+00:00",
                "seen_at": "2026-09-21T14:13:20.000+00:00",
                "taken_over_at": "2026-09-21T14:14:20.000+00:00",
                "binds_up": ["mci", "irancell"],
            }
        ],
        "doors": [
            {
                "name": "hub",
                "dialect": "hubtel",
                "path": "/ussd/hub",
                "waiting": 1,
                "requests": 940,
                "screens": 931,
                "refused": 2,
                "late": 3,
                "gone": 4,
                "rejected": 5,
                "forbidden": 6,
            }
        ],
    }
    monkeypatch.setattr("gateway.control.call", lambda *_a, **_k: said)

    ran = peyk("health")

    assert ran.code == 1
    assert "- bind irancell is down (waiting for 5 s)" in ran.out
    assert "1 h 0 min" in ran.out
    assert "7 open of 200 at most" in ran.out
    assert "east" in ran.out
    assert "taken over" in ran.out
    assert "3 repeated" in ran.out
    assert "41 shown" in ran.out
    assert "1405/06/30 17:43" in ran.out
    assert "100/s, throttled" in ran.out
    door = next(line for line in ran.out.splitlines() if "/ussd/hub" in line)
    assert [word for word in door.split() if word.isdigit()] == ["1", "940", "931", *"23456"]


# --- inbox and outbox -----------------------------------------------------------------


def test_the_outbox_for_people_has_jalali_dates(database: Database, peyk: Peyk) -> None:
    """A row has its id, its time in Tehran, its state and the beginning of its text."""
    [message_id] = _store(database, "delivered")

    ran = peyk("outbox", "list")

    assert ran.code == 0
    assert str(message_id) in ran.out
    assert "1405/06/30 17:43" in ran.out
    assert "بدهی ۱۰۰ ریال / مهلت" in ran.out
    assert "\u2068" not in ran.out


def test_the_outbox_for_programs_is_iso_and_exact(database: Database, peyk: Peyk) -> None:
    """JSON has UTC instants, the text as it is, and ids that no reader rounds."""
    [message_id] = _store(database, "accepted")

    [found] = json.loads(peyk("outbox", "list", "--json").out)

    assert found["id"] == str(message_id)
    assert found["created_at"] == "2026-09-21T14:13:20.000+00:00"
    assert found["text"] == "بدهی ۱۰۰ ریال\nمهلت ۱۴۰۵/۰۷/۲۷"
    assert (found["state"], found["parts"][0]["state"]) == ("accepted", "accepted")
    assert found["group"] == "on_the_way"
    shown = json.loads(peyk("outbox", "show", message_id, "--json").out)
    assert shown == {**found, "history": []}


def test_filters_take_what_people_write(database: Database, peyk: Peyk) -> None:
    """Jalali days in Persian digits, both included; mobiles in any form."""
    day = 86_400_000
    [before] = _store(database, "accepted", made=NOW - day)
    [within] = _store(database, "accepted", made=NOW)
    [_other] = _store(database, "accepted", mobile="989120000000", made=NOW + 1)
    [after] = _store(database, "accepted", made=NOW + day)

    def found(*options: str) -> list[str]:
        ran = peyk("outbox", "list", "--json", "--mobile", "۰۹۱۳ ۱۲۳ ۴۵۶۷", *options)
        return [message["id"] for message in json.loads(ran.out)]

    assert found("--from", "۱۴۰۵/۰۶/۳۰", "--to", "1405-06-30") == [str(within)]
    assert found("--from", "2026-09-21") == [str(after), str(within)]
    assert found("--to", "1405/06/29") == [str(before)]
    assert found("--day", "۱۴۰۵/۰۶/۳۰", "--state", "on_the_way") == [str(within)]


def test_a_message_is_shown_whole(database: Database, peyk: Peyk) -> None:
    """It prints every line of the text and what each part went through."""
    [message_id] = _store(database, "waiting")

    ran = peyk("outbox", "show", message_id)

    assert "بدهی ۱۰۰ ریال\nمهلت ۱۴۰۵/۰۷/۲۷" in ran.out
    assert "1 of 3" in ran.out


def test_an_unknown_message_is_said_so(database: Database, peyk: Peyk) -> None:
    """A wrong id is exit code 1 and names where ids are found."""
    ran = peyk("outbox", "show", 5)

    assert ran.code == 1
    assert "there is no message 5" in ran.err


def test_resend_by_id_does_what_it_can_and_names_the_rest(database: Database, peyk: Peyk) -> None:
    """One of two can be resent: it is, and the other one's reason is told."""
    rejected, delivered = _store(database, "rejected", "delivered")

    ran = peyk("outbox", "resend", rejected, delivered)

    assert ran.code == 1
    assert "1 message(s) queued again" in ran.out
    assert f"{delivered}: it has been delivered" in ran.err
    assert _states(database) == ["queued", "delivered"]


def test_a_dry_run_changes_nothing(database: Database, peyk: Peyk) -> None:
    """It says how many it would be, and the next call finds them as they were."""
    _store(database, "rejected", "uncertain", "delivered")

    ran = peyk("outbox", "resend", "--mobile", "09131234567", "--dry-run")

    assert (ran.code, ran.out) == (0, "2 message(s) would be queued again\n")
    assert _states(database) == ["rejected", "uncertain", "delivered"]


def test_cancel_by_filter(database: Database, peyk: Peyk) -> None:
    """What has not left is given up on; the rest is left alone."""
    _store(database, "queued", "waiting", "sending")

    refused = peyk("outbox", "cancel", "--line", "100034122")

    assert refused.code == 1
    assert "2 message(s) would be cancelled; say --yes to do it" in refused.err
    assert _states(database) == ["queued", "waiting", "sending"]

    ran = peyk("outbox", "cancel", "--line", "100034122", "--yes")

    assert (ran.code, ran.out) == (0, "2 message(s) cancelled\n")
    assert _states(database) == ["cancelled", "cancelled", "sending"]


def test_the_inbox_shows_what_was_set_aside(database: Database, peyk: Peyk) -> None:
    """A message that could not be worked on is found by its state, with the error."""
    with database.engine.begin() as connection:
        connection.execute(
            insert(inbox).values(
                id=IdMaker(0, lambda: NOW).one(),
                received_at=NOW,
                bind="mci",
                line="100034122",
                profile="kerman-water",
                mobile=MOBILE,
                text="010",
                fingerprint=1,
                state="set_aside",
                error="no such thing",
            )
        )

    people = peyk("inbox", "--state", "set_aside")
    [program] = json.loads(peyk("inbox", "--json").out)

    assert "no such thing" in people.out
    assert (program["state"], program["reply"], program["text"]) == ("set_aside", None, "010")
    assert json.loads(peyk("inbox", "--json", "--state", "answered").out) == []


# --- import ---------------------------------------------------------------------------


def test_an_import_reports_bad_rows_and_takes_the_good(
    home: Path, database: Database, peyk: Peyk
) -> None:
    """Each bad row is told with its line and column; the exit code says there were some."""
    file = home / "subscribers.csv"
    file.write_text("utility,number,units\nkerman-water,10000001,1\nkerman-water,,1\n")

    ran = peyk("import", "subscribers", file)

    assert ran.code == 1
    assert "line 3, number" in ran.err
    assert "2 rows: 1 new" in ran.out
    assert "1 of 2 rows are bad and were left out" in ran.err


def test_a_strict_import_takes_nothing(home: Path, database: Database, peyk: Peyk) -> None:
    """With --strict one bad row keeps the others out too."""
    file = home / "subscribers.csv"
    file.write_text("number,units\n10000001,1\n,1\n")

    ran = peyk("import", "subscribers", file, "--strict", "--utility", "kerman-water")

    assert ran.code == 1
    assert "nothing was taken" in ran.err
    with database.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(subscribers)) == 0


def test_the_same_file_twice_changes_nothing(home: Path, database: Database, peyk: Peyk) -> None:
    """A good file exits with 0, again and again."""
    file = home / "subscribers.csv"
    file.write_text("utility,number\nkerman-water,10000001\n")

    assert peyk("import", "subscribers", file).code == 0
    again = peyk("import", "subscribers", file)

    assert again.code == 0
    assert "0 new" in again.out


# --- the simulated operator -----------------------------------------------------------


def _with_operator(home: Path, port: int) -> None:
    table = f'[smsc]\nport = {port}\ncontrol = "smsc.sock"\n'
    (home / "peyk.toml").write_text(SETTINGS + table)


def test_sms_without_an_operator_says_how_to_start_it(
    home: Path, database: Database, peyk: Peyk
) -> None:
    """Both an operator that is not set and one that is not running are told."""
    arguments = ("sms", "--from", "09131234567", "--to", "100034122", "010")
    not_set = peyk(*arguments)
    _with_operator(home, 2775)
    not_running = peyk(*arguments)

    assert (not_set.code, not_running.code) == (1, 1)
    assert "no [smsc] table" in not_set.err
    assert "start it with `peyk smsc`" in not_running.err


def test_sms_prints_each_answer(
    home: Path, database: Database, peyk: Peyk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers are printed as they were sent; the mobile and line are normalised."""
    asked: list[Any] = []

    def send_text(*arguments: Any) -> Iterator[Answer]:
        asked.extend(arguments[1:])
        yield Answer("بدهی ۱۰۰ ریال\nمهلت", 1)

    _with_operator(home, 2775)
    monkeypatch.setattr("gateway.smpp.smsc_control.send_text", send_text)

    ran = peyk("sms", "--from", "0913 123 4567", "--to", "۱۰۰۰۳۴۱۲۲", "--wait", "3", "۰۱۰")

    assert (ran.code, ran.out) == (0, "بدهی ۱۰۰ ریال\nمهلت\n")
    assert asked == [MOBILE, "100034122", "۰۱۰", 3.0]


def test_silence_is_a_failure(
    home: Path, database: Database, peyk: Peyk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script can tell an answer from none."""
    _with_operator(home, 2775)
    monkeypatch.setattr("gateway.smpp.smsc_control.send_text", lambda *_: iter(()))

    ran = peyk("sms", "--from", "09131234567", "--to", "100034122", "--wait", "0", "010")

    assert ran.code == 1
    assert "no answer within 0 s" in ran.err


def test_the_operator_starts_in_the_background_and_stops(
    home: Path, database: Database, peyk: Peyk
) -> None:
    """It answers once the command returns; a second start finds it; stop ends it."""
    port = free_port()
    _with_operator(home, port)

    started = peyk("smsc", "--background")
    again = peyk("smsc", "--background")
    alone = peyk("sms", "--from", "09131234567", "--to", "100034122", "010")
    faulty = peyk("smsc", "--fault", "throttle=3", "--fault", "delay=0.5")
    better = peyk("smsc", "--fault", "throttle=off")
    stopped = peyk("smsc", "--stop")
    gone = peyk("smsc", "--stop")

    assert started.code == 0
    assert f"127.0.0.1:{port}" in started.out
    assert "running already" in again.out
    assert alone.code == 1
    assert "no daemon is bound" in alone.err
    assert faulty.out == "the simulated operator's faults: throttle=3, delay=0.5\n"
    assert better.out == "the simulated operator's faults: delay=0.5\n"
    assert (stopped.code, gone.code) == (0, 1)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("throtle=3", "there is no fault 'throtle'; did you mean 'throttle'?"),
        ("throttle", "write such as throttle=10, or throttle=off"),
        ("delay=soon", "delay=soon has no figure"),
        ("delay=nan", "delay=nan has no figure"),
    ],
)
def test_a_fault_that_cannot_be_is_a_misuse(
    home: Path, database: Database, peyk: Peyk, fault: str, words: str
) -> None:
    """Said before any operator is asked."""
    ran = peyk("smsc", "--fault", fault)

    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert words in ran.err


def test_a_taken_port_is_one_clear_line(home: Path, database: Database, peyk: Peyk) -> None:
    """When something else has the operator's port, that is what is said."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        _with_operator(home, port)
        ran = peyk("smsc", "--background")

    assert ran.code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ran.err
    assert ran.err.count("\n") == 1


# --- services -------------------------------------------------------------------------


def test_services_are_paused_and_resumed(database: Database, peyk: Peyk) -> None:
    """Also while no daemon runs; who mistypes a name is told the nearest one."""
    assert peyk("service", "pause", "bind:mci", "import", "--by", "reza", "--note", "x").code == 0
    assert "has been paused by reza" in peyk("service", "pause", "import").out
    found = {each["name"]: each for each in json.loads(peyk("service", "list", "--json").out)}
    assert {name: each["state"] for name, each in found.items()} == {
        "bind:mci": "paused",
        "scheduler": "down",
        "campaigns": "down",
        "import": "paused",
        "webhooks": "down",
    }
    assert (found["bind:mci"]["paused_by"], found["bind:mci"]["detail"]) == ("reza", "x")
    refused = peyk("service", "pause", "bind:mcy")
    assert (refused.code, "did you mean 'bind:mci'?" in refused.err) == (1, True)
    assert peyk("service", "resume", "import", "scheduler").out.splitlines() == [
        "import goes on",
        "scheduler is not paused",
    ]
    assert "reza" in peyk("service", "list").out


# --- reports --------------------------------------------------------------------------


def test_a_report_is_printed_and_written(database: Database, peyk: Peyk, home: Path) -> None:
    """Mobiles are masked unless asked for, which the audit log remembers."""
    row = {"id": IdMaker(0, lambda: NOW).one(), "received_at": NOW, "bind": "mci", "mobile": MOBILE}
    about = {"line": "100034122", "profile": "kerman-water", "text": "=1", "fingerprint": 1}
    with database.engine.begin() as connection:
        connection.execute(insert(inbox).values(**row, **about, state=ANSWERED))
    table = peyk("report", "mobiles", "--from", "1405/06/01")
    assert (table.code, "98913***4567" in table.out) == (0, True), table.err
    full = peyk("report", "received", "--mobile", MOBILE, "--full", "--format", "csv")
    assert MOBILE in full.out
    out = home / "days.xlsx"
    assert peyk("report", "days", "--month", "1405/06", "--out", out).code == 0
    assert out.read_bytes().startswith(b"PK")
    with database.engine.connect() as connection:
        (seen,) = connection.execute(select(audit.c.action, audit.c.object)).all()
    assert tuple(seen) == ("report.full", "report:received")


def test_the_utilitys_own_reports_are_printed_too(
    database: Database, peyk: Peyk, home: Path
) -> None:
    """With what they ask for; a mistake names what there is."""
    profile = Path(cli.__file__).parent / "config" / "profiles" / "kerman-water"
    shutil.copytree(profile, home / "profiles" / "kerman-water", dirs_exist_ok=True)
    wrong = peyk("report", "bils_overdue")
    assert "there is no report 'bils_overdue'; did you mean 'bills_overdue'?" in wrong.err
    listed = peyk("report").out
    assert "mobiles" in listed
    assert "bills_overdue" in listed
    told = json.loads(peyk("report", "bills_overdue", "--param", "days=30", "--format", "json").out)
    assert told == []
    assert "has no parameter 'dayz'" in peyk("report", "bills_overdue", "--param", "dayz=3").err
    assert "is never 'dne'; did you mean 'done'?" in peyk(
        "report", "requests_by_state", "--param", "state=dne"
    ).err  # fmt: skip
    nothing = peyk("report", "subscribers_of_region", "--param", "region=x", "--format", "json")
    assert (nothing.code, json.loads(nothing.out)) == (0, [])
    assert "no row of kerman-water has the region 'x'; " in nothing.err
    assert "not with --mobile" in peyk("report", "bills_overdue", "--mobile", MOBILE).err
    assert "did you mean 'mobiles'?" in peyk("report", "mobile").err
    assert "is not a Jalali month" in peyk("report", "days", "--month", "06").err
    assert "there is no template 'nope'; " in peyk("report", "days", "--template", "nope").err


# --- alerts ---------------------------------------------------------------------------


def test_alerts_are_listed(database: Database, peyk: Peyk) -> None:
    """The newest first, open ones apart; for people and for programs."""
    over = Alert(IdMaker(0, lambda: NOW).one(), "bind_down:main", "down", "قطع", NOW, NOW, NOW, NOW)
    still = Alert(over.id + 1, "disk", "full", "پر", NOW + 1000, None, None, None)
    database.transact("store", store_alerts, [over, still])
    told = json.loads(peyk("alert", "list", "--json").out)
    assert [(each["trouble"], each["persian"]) for each in told] == [
        ("disk", "پر"),
        ("bind_down:main", "قطع"),
    ]
    assert told[1]["ended_at"] == "2026-09-21T14:13:20.000+00:00"
    listed = peyk("alert", "list", "--open").out
    assert ("full" in listed, "down" in listed) == (True, False)
    assert "bind_down:main" in peyk("alert", "list", "--trouble", "bind_down").out
    assert "nothing is running" in peyk("alert", "test").err
