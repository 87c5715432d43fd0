"""The daemon as whoever operates it meets it: health, stopping, and what it keeps to itself."""

from __future__ import annotations

import pytest_twisted
from sqlalchemy import select, update

from core.database import Database
from core.secrecy import Keys
from core.tables import inbox, inbox_parts, outbox, subscribers
from core.text import persian_digits
from tests.acceptance.conftest import KEY, LINE, Daemon, Daemons, Operator
from tests.acceptance.load import Load
from tests.processes import Afresh
from tests.waiting import until

MOBILE = "989131234567"
CODE, WRONG = "739146", "852937"
"""Six digits that no figure of the sample data happens to contain."""


def _forms(code: str) -> list[bytes]:
    typed = [code, persian_digits(code), "".join(chr(0x660 + int(digit)) for digit in code)]
    plain = [form.encode(how) for form in typed for how in ("utf-8", "utf-16-be", "utf-16-le")]
    return plain + [form.hex().encode() for form in plain]


def _found(daemon: Daemon) -> list[str]:
    """Where a code stands in the daemon's files, in any form."""
    return [
        f"{code} in {file.name} as {form!r}"
        for file in sorted(daemon.data.parent.rglob("*"))
        if file.is_file()
        for content in [file.read_bytes()]
        for code in (CODE, WRONG)
        for form in _forms(code)
        if form in content
    ]


@pytest_twisted.ensureDeferred
async def test_a_code_is_in_no_file(operator: Operator, daemons: Daemons) -> None:
    """Right, wrong, misplaced, mistyped or in parts: what may be a code is never written."""
    daemon = daemons(operator.port)
    database = Database(daemon.url)
    hashed = Keys(KEY.encode()).code_hash("kerman-water", "10000001", CODE)
    row = update(subscribers).where(subscribers.c.number == "10000001").values(code_hash=hashed)
    database.transact("test", lambda connection: connection.execute(row))
    database.close()
    assert not _found(daemon)
    daemon.start()
    await until(lambda: operator.bound, "the daemon is bound")
    typed = (
        f"010*10000001*{CODE}",
        f"۰۱۰+۱۰۰۰۰۰۰۱+{persian_digits(CODE)}",
        f"{CODE}*10000001*010",
        f"010*10000001*{WRONG}",
        f"010 {CODE}",
        f"رمز من {WRONG} است و جواب نمی‌گیرم",
    )
    for words in typed:
        await operator.ask(MOBILE, words)
    assert not _found(daemon), "while it runs"
    daemon.terminate()
    await until(lambda: not daemon.is_running, "the daemon stops")
    assert not _found(daemon), "after its end"


@pytest_twisted.ensureDeferred
async def test_a_joined_text_leaves_no_code_behind(operator: Operator, daemon: Daemon) -> None:
    """Parts have to be kept as they came until the last is there, and not a moment longer."""
    await operator.ask(MOBILE, "با سلام لطفا " * 12 + f"بدهی 10000001 {persian_digits(WRONG)}")
    database = Database(daemon.url)
    kept = database.read(
        "test", lambda connection: connection.execute(select(inbox_parts.c.payload)).all()
    )
    (whole,) = database.read(
        "test", lambda connection: connection.execute(select(inbox.c.text)).all()
    )
    database.close()
    assert {row.payload for row in kept} == {""}
    assert whole.text.endswith("*****")


@pytest_twisted.ensureDeferred
async def test_health_says_what_is_down_and_the_bind_comes_back(
    operator: Operator, daemons: Daemons
) -> None:
    """``peyk health`` exits with 0, 2 without an operator or a daemon, and says why."""
    daemon = daemons(operator.port)
    gone = await daemon.peyk("health")
    assert gone.returncode == 2
    assert "not running" in gone.stdout
    daemon.start(Afresh)
    await daemon.until_health_door()
    await daemon.until_health(lambda found: found["status"] == "healthy", "it is bound")
    well = await daemon.peyk("health")
    assert (well.returncode, well.stdout.splitlines()[0]) == (0, "healthy")
    await operator.stop()
    await daemon.until_health(
        lambda found: found["status"] == "down" and "refused" in found["binds"][0]["last_error"],
        "it sees the loss, and that nobody listens there",
    )
    down = await daemon.peyk("health")
    assert down.returncode == 2
    assert "bind operator is" in down.stdout
    assert "refused" in down.stdout
    await operator.open()
    await daemon.until_health(lambda found: found["status"] == "healthy", "it is bound again")
    assert await operator.ask(MOBILE, "راهنما")


@pytest_twisted.ensureDeferred
async def test_one_bind_of_two_is_degraded_not_down(operator: Operator, daemons: Daemons) -> None:
    """With another bind still up subscribers are answered: exit code 1."""
    more = f"""
[[binds]]
name = "second"
host = "127.0.0.1"
port = {operator.port}
system_id = "nobody"
password = "demo"
"""
    daemon = daemons(operator.port, more=more)
    daemon.start()
    await until(lambda: operator.totals.binds_refused, "the second bind is refused")
    health = await daemon.peyk("health")
    assert health.returncode == 1
    assert "bind second is" in health.stdout
    assert await operator.ask(MOBILE, "راهنما")


@pytest_twisted.ensureDeferred
async def test_a_stopping_daemon_finishes_what_it_took(operator: Operator, daemon: Daemon) -> None:
    """SIGTERM under load: what was acknowledged is answered, the session ends with unbind."""
    load = Load(operator)
    load.begin()
    await until(lambda: len(load.submits) > 1000, "the load is on")
    daemon.terminate()
    await until(lambda: not daemon.is_running, "the daemon stops")
    load.end()
    assert daemon.process is not None
    assert daemon.process.returncode == 0
    taken = {made.mobile for made in operator.texts if made.acknowledged and not made.receipt}
    assert taken == set(load.submits)
    assert {len(submits) for submits in load.submits.values()} == {1}
    assert operator.endings == ["the other end unbound"]
    (last,) = [line for line in daemon.said().splitlines() if "daemon.stopped" in line]
    assert ('"left_to_send": 0' in last, '"left_uncertain": 0' in last) == (True, True), last
    database = Database(daemon.url)
    states = database.read(
        "test", lambda connection: set(connection.scalars(select(outbox.c.state).distinct()))
    )
    database.close()
    assert states <= {"accepted", "delivered"}
    daemon.start()
    await load.all_answered()
    assert not load.doubles(())


@pytest_twisted.ensureDeferred
async def test_what_waited_while_the_daemon_was_down_is_answered(
    operator: Operator, daemons: Daemons
) -> None:
    """Texts sent to nobody are kept by the operator; the first bind brings them all."""
    mobiles = [f"98912000{number:04}" for number in range(300)]
    for mobile in mobiles:
        operator.send_text(mobile, LINE, "راهنما")
    daemons(operator.port).start()
    await until(lambda: len(operator.messages) == len(mobiles), "all are answered")
    assert {message.mobile for message in operator.messages} == set(mobiles)
