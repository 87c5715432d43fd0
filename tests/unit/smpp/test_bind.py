"""A bind's life: connecting, being refused, being cut, coming back, stopping."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs
from twisted.internet.testing import MemoryReactorClock

from gateway.smpp import constants as c
from gateway.smpp.bind import endpoint_for
from gateway.smpp.pdus import Pdu, ShortMessage
from gateway.smpp.settings import BindSettings, BindState

from .conftest import Listener, Wire, pdus

if TYPE_CHECKING:
    from twisted.internet.task import Clock

    from gateway.smpp.bind import SmppBind


def test_it_connects_binds_and_tells(bind: SmppBind, wire: Wire, listener: Listener) -> None:
    """Each step is a state an operator can see, and the listener hears of the last."""
    assert bind.status().state is BindState.STOPPED
    bind.startService()
    assert bind.status().state is BindState.CONNECTING
    wire.open()
    assert bind.status().state is BindState.BINDING
    assert bind.connection is None
    wire.answer_bind()
    assert bind.status().state is BindState.BOUND
    assert listener.take() == [("bound", wire.protocol)]
    assert bind.connection is wire.protocol


def test_what_waits_for_the_bind_is_told(bind: SmppBind, wire: Wire) -> None:
    """``when_bound`` fires with the connection, also for those who come later."""
    found: list[bool] = []
    bind.when_bound().addCallback(lambda made: found.append(made is wire.protocol))
    bind.startService()
    wire.open()
    wire.answer_bind()
    bind.when_bound().addCallback(lambda made: found.append(made is wire.protocol))
    assert found == [True, True]


def test_attempts_grow_apart(bind: SmppBind, wire: Wire, clock: Clock) -> None:
    """Each refusal doubles the pause, up to the longest."""
    bind.startService()
    for pause in (1, 2, 4, 8, 8):
        wire.refuse()
        status = bind.status()
        assert status.state is BindState.WAITING
        assert status.next_attempt == clock.seconds() + pause
        assert status.last_error == "cannot connect: An error occurred while connecting: refused."
        made = len(wire.attempts)
        clock.advance(pause - 0.1)
        assert len(wire.attempts) == made
        clock.advance(0.1)
        assert len(wire.attempts) == made + 1


def test_a_refused_bind_says_why_and_is_tried_again(
    bind: SmppBind, wire: Wire, clock: Clock, listener: Listener
) -> None:
    """A wrong password is told in words, and mended by the operator it comes right."""
    bind.startService()
    for pause in (1, 2):
        wire.open()
        wire.answer_bind(c.RINVPASWD)
        wire.cut()
        assert bind.status().last_error == "refused: invalid password (0x0E)"
        clock.advance(pause)
    wire.open()
    wire.answer_bind()
    assert bind.status().state is BindState.BOUND
    assert [name for name, _ in listener.take()] == ["bound"]


def test_an_smsc_that_binds_and_cuts_is_not_called_at_full_speed(
    bound: SmppBind, wire: Wire, clock: Clock
) -> None:
    """Only a bind that was held for a while starts the pauses anew."""
    for pause in (1, 2, 4):
        wire.cut()
        assert bound.status().next_attempt == clock.seconds() + pause
        clock.advance(pause)
        wire.open()
        wire.answer_bind()
    clock.advance(8)
    wire.cut()
    assert bound.status().next_attempt == clock.seconds() + 1


def test_jitter_only_shortens(bind: SmppBind, wire: Wire, clock: Clock) -> None:
    """Many binds that were cut together come back spread over a quarter of the pause."""
    bind._jitter = lambda: 0.0
    bind.startService()
    wire.refuse()
    assert bind.status().next_attempt == 0.75


def test_a_lost_bind_is_told_and_comes_back(
    bound: SmppBind, wire: Wire, clock: Clock, listener: Listener
) -> None:
    """The listener hears of the loss once, and of the new connection."""
    first = wire.protocol
    wire.cut()
    assert [name for name, _ in listener.take()] == ["bound", "lost"]
    assert bound.status().reconnects == 1
    clock.advance(1)
    wire.open()
    wire.answer_bind()
    ((name, connection),) = listener.take()
    assert (name, connection.id != first.id) == ("bound", True)


def test_a_silent_smsc_is_given_up(bind: SmppBind, wire: Wire, clock: Clock) -> None:
    """A connection on which the bind is never answered is closed and tried again."""
    bind.startService()
    wire.open()
    clock.advance(10)
    assert wire.transport.disconnecting
    wire.cut()
    assert bind.status().last_error == "no answer to the bind in time"


def test_a_connection_that_will_not_close_is_aborted(
    bind: SmppBind, wire: Wire, clock: Clock
) -> None:
    """A peer that does not read cannot keep a dead connection open."""
    bind.startService()
    wire.open()
    clock.advance(10)
    assert not wire.transport.aborted
    clock.advance(3)
    assert wire.transport.aborted


def test_stopping_unbinds_first(bound: SmppBind, wire: Wire, listener: Listener) -> None:
    """The SMSC hears unbind, and the stop is done once the connection is closed."""
    done: list[bool] = []
    bound.stopService().addCallback(lambda _: done.append(True))
    assert bound.status().state is BindState.UNBINDING
    (asked,) = pdus(wire.transport.take())
    assert asked.command == c.UNBIND
    wire.send(Pdu(c.UNBIND_RESP, 0, asked.sequence))
    assert wire.transport.disconnecting
    assert not done
    wire.cut()
    assert done == [True]
    assert bound.status().state is BindState.STOPPED
    assert listener.take()[-1] == ("lost", "unbound")
    assert not wire.clock.getDelayedCalls()


def test_stopping_does_not_wait_for_ever(bound: SmppBind, wire: Wire, clock: Clock) -> None:
    """An SMSC that answers nothing holds the stop up for a bounded time."""
    bound.stopService()
    clock.advance(3)
    assert wire.transport.disconnecting
    clock.advance(3)
    assert wire.transport.aborted


@pytest.mark.parametrize("when", ["connecting", "waiting", "binding", "stopped"])
def test_stopping_works_at_any_time(bind: SmppBind, wire: Wire, clock: Clock, when: str) -> None:
    """Wherever the bind stands, stopping leaves no attempt and no timer behind."""
    if when != "stopped":
        bind.startService()
    if when == "waiting":
        wire.refuse()
    if when == "binding":
        wire.open()
    done: list[bool] = []
    bind.stopService().addCallback(lambda _: done.append(True))
    if when == "binding":
        wire.cut()
    assert done == [True]
    assert bind.status().state is BindState.STOPPED
    made = len(wire.attempts)
    clock.advance(100)
    assert len(wire.attempts) == made


def test_it_can_be_started_again(bound: SmppBind, wire: Wire) -> None:
    """A stopped bind is a bind that can be started."""
    bound.stopService()
    wire.cut()
    bound.startService()
    wire.open()
    wire.answer_bind()
    assert bound.status().state is BindState.BOUND


def test_the_status_counts_over_connections(
    bound: SmppBind, wire: Wire, clock: Clock, listener: Listener
) -> None:
    """Counters go on where a lost connection left them."""
    clock.advance(5)
    wire.send(ShortMessage(c.DELIVER_SM, 0, 1, source="98913", short_message=b"1"))
    wire.send(Pdu(c.SUBMIT_SM_RESP, 0, 999, {"message_id": "x"}))
    wire.cut()
    clock.advance(1)
    wire.open()
    wire.answer_bind()
    clock.advance(2)
    wire.send(ShortMessage(c.DELIVER_SM, 0, 1, esm_class=4, short_message=b"?"))
    status = bound.status()
    assert (status.received, status.stray_responses, status.unreadable_receipts) == (2, 1, 1)
    assert status.last_traffic == 8
    assert status.since == 6
    assert [name for name, _ in listener.take()] == ["bound", "arrived", "lost", "bound"]


def test_neither_passwords_nor_texts_are_logged(bind: SmppBind, wire: Wire) -> None:
    """Nothing that a log shows, nor the settings' repr, gives a secret away."""
    with capture_logs() as logs:
        bind.startService()
        wire.open()
        wire.answer_bind(c.RINVPASWD)
        wire.cut()
    assert {entry["event"] for entry in logs} == {"smpp.bind_refused", "smpp.bind_waiting"}
    assert "secret" not in repr(logs) + repr(bind.settings) + repr(bind.status())


def test_a_certificate_authority_that_is_not_there_is_told() -> None:
    """A wrong ``tls_ca_file`` is an error when the bind is made, not for ever after."""
    settings = BindSettings(
        name="a", host="h", system_id="s", password="p", tls=True, tls_ca_file="/no/such.pem"
    )
    with pytest.raises(FileNotFoundError):
        endpoint_for(settings, MemoryReactorClock())
