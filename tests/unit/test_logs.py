"""The log: one event for one happening, and nothing private in any."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from gateway import logs

Written = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _leave_logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def written() -> Written:
    """Log as JSON; gives the events that were written so far."""
    stream = io.StringIO()
    logs.configure("debug", "json", stream=stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_what_a_command_logs_is_apart_from_what_it_prints(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Or JSON could not be read while the database is slow; mobiles are masked here too."""
    structlog.reset_defaults()
    logs.of_command()
    structlog.get_logger("core").warning("database.slow", mobile="989131234567", text="secret")
    out, err = capfd.readouterr()
    assert out == ""
    assert "database.slow" in err
    assert "98913***4567" in err
    assert "secret" not in err


def test_an_event_has_its_name_its_fields_and_its_time(written: Written) -> None:
    """What is logged can be searched by name and field."""
    structlog.get_logger("gateway.smpp").warning("smpp.bind_lost", bind="mci", seconds=2.5)

    [event] = written()
    assert (event["event"], event["bind"], event["seconds"]) == ("smpp.bind_lost", "mci", 2.5)
    assert (event["level"], event["logger"]) == ("warning", "gateway.smpp")
    assert event["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    "value",
    [
        "989131234567",
        "+989131234567",
        "00989131234567",
        "09131234567",
        "9131234567",
        989131234567,
        "from 09131234567, again",
        ["09131234567"],
        {"deep": ("09131234567",)},
        ValueError("no such mobile: 09131234567"),
        b"09131234567",
    ],
)
def test_a_mobile_is_masked_wherever_it_stands(written: Written, value: object) -> None:
    """No form of a mobile number reaches the log, in whatever value."""
    structlog.get_logger().info("some.event", about=value)

    [event] = written()
    assert "9131234567" not in json.dumps(event)
    assert "98913***4567" in json.dumps(event)


@pytest.mark.parametrize("value", [1070189, "2050327604613", "100034122", 7_300_000_000_000_000])
def test_other_numbers_are_left_readable(written: Written, value: object) -> None:
    """Ids, bill IDs and short codes are no mobiles and stay as they are."""
    structlog.get_logger().info("some.event", number=value)

    assert written()[0]["number"] == value


def test_an_address_that_is_no_mobile_is_shortened(written: Written) -> None:
    """Under a name that says address, a number of an unknown form is not shown whole."""
    structlog.get_logger().info("some.event", source="4915112345678", destination="BANK-MELLI")

    [event] = written()
    assert (event["source"], event["destination"]) == ("4915***", "BANK***")


@pytest.mark.parametrize("key", ["text", "payload", "password", "short_message"])
def test_texts_and_passwords_are_dropped(written: Written, key: str) -> None:
    """A field that must not be logged does not appear, at any depth."""
    structlog.get_logger().info("some.event", **{key: "hush"}, inner={key: "hush"})

    assert "hush" not in json.dumps(written())


def test_other_libraries_are_masked_too(written: Written) -> None:
    """A record of plain stdlib logging passes the same way."""
    logging.getLogger("sqlalchemy").warning("cannot store %s", "09131234567")

    [event] = written()
    assert (event["logger"], event["event"]) == ("sqlalchemy", "cannot store 98913***4567")


def test_a_traceback_is_in_its_event_and_masked(written: Written) -> None:
    """An exception makes one line of JSON, and its message no exception from the rule."""
    try:
        int("09131234567 again")
    except ValueError:
        structlog.get_logger().exception("inbound.failed")

    [event] = written()
    assert "ValueError" in event["exception"]
    assert "9131234567" not in event["exception"]


def test_a_failure_in_twisted_is_one_event(written: Written) -> None:
    """What Twisted reports in two steps is written once, with its traceback."""
    observer: Any = logs.twisted_event
    twisted = Logger("reactor", observer=observer)
    twisted.critical("Unhandled error in Deferred:", isError=True)
    twisted.failure("Unhandled error in Deferred", Failure(KeyError("lost")))

    [event] = written()
    assert (event["event"], event["level"], event["by"]) == ("twisted.failure", "error", "reactor")
    assert "KeyError" in event["exception"]


def test_twisted_sockets_are_no_news(written: Written) -> None:
    """What Twisted calls info is only there for who asks for debug."""
    logs.twisted_event({"log_format": "Port {n} starting", "n": 1, "log_level": LogLevel.info})

    assert (written()[0]["level"], written()[0]["said"]) == ("debug", "Port 1 starting")


def test_the_level_is_kept(written: Written) -> None:
    """What is below the level that was set is not written."""
    stream = io.StringIO()
    logs.configure("warning", "json", stream=stream)
    structlog.get_logger().info("some.event")

    assert stream.getvalue() == ""


def test_a_person_gets_a_plain_line(tmp_path: Path) -> None:
    """The console form goes to a file as text without colour codes."""
    file = tmp_path / "peyk.log"
    logs.configure("info", "console", file=file)
    structlog.get_logger().info("daemon.started", lines=2)

    written = file.read_text()
    assert "daemon.started" in written
    assert "lines=2" in written
    assert "\x1b" not in written


def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    """As logrotate does it, without telling the daemon."""
    file = tmp_path / "peyk.log"
    logs.configure(file=file)
    structlog.get_logger("test").info("before.it")
    file.rename(tmp_path / "peyk.log.1")
    structlog.get_logger("test").info("after.it")
    assert "before.it" in (tmp_path / "peyk.log.1").read_text()
    assert "after.it" in file.read_text()
    assert "before.it" not in file.read_text()
