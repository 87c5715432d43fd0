"""The session: what comes, what goes, and what time does; no network and no clock."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smpp import codec
from gateway.smpp import constants as c
from gateway.smpp.pdus import Pdu, ShortMessage
from gateway.smpp.session import Session
from gateway.smpp.settings import Mode
from gateway.smpp.states import (
    MAY_RECEIVE,
    NEVER_WRITTEN,
    NO_RESPONSE,
    Answer,
    BindRefused,
    BindRequested,
    Bound,
    Ended,
    Role,
    SessionSettings,
    State,
)

BODY = codec.encode_body(
    ShortMessage(c.DELIVER_SM, source="98913", destination="1000", short_message=b"010")
)


def session(role: Role = Role.ESME, mode: Mode = Mode.TRANSCEIVER, **settings: Any) -> Session:
    """Return a bound session at time 0."""
    made = Session(SessionSettings(role=role, **settings), 0.0)
    if role is Role.ESME:
        made.bind(mode, {"system_id": "peyk", "password": "secret"})
        command = made.outgoing._own[1].command
        response = Pdu(command | c.RESPONSE, 0, 1, {"system_id": "smsc"})
        made.receive(codec.encode(response), 0.0)
    else:
        command = {
            Mode.TRANSCEIVER: c.BIND_TRANSCEIVER,
            Mode.TRANSMITTER: c.BIND_TRANSMITTER,
            Mode.RECEIVER: c.BIND_RECEIVER,
        }[mode]
        made.receive(codec.encode(Pdu(command, 0, 1, {"system_id": "peyk"})), 0.0)
        made.accept("smsc")
    assert made.state is State.BOUND
    return made


def deliver(*sequences: int) -> bytes:
    """Return deliver_sm with these sequences."""
    return b"".join(codec.pack(c.DELIVER_SM, 0, number, BODY) for number in sequences)


def submit(made: Session, *tokens: int, now: float = 0.0) -> list[int]:
    """Send messages with these tokens; return the sequences that were written."""
    return sequences_of(made.send(c.SUBMIT_SM, [(token, BODY) for token in tokens], now))


def response(sequence: int, status: int = 0, message_id: bytes = b"id\0") -> bytes:
    """Return a submit_sm_resp."""
    return codec.pack(c.SUBMIT_SM_RESP, status, sequence, message_id)


def headers(data: bytes) -> list[tuple[int, int, int]]:
    """Return command, status and sequence of each PDU."""
    found, at = [], 0
    while at < len(data):
        length, *header = codec.read_header(data, at)
        found.append((header[0], header[1], header[2]))
        at += length
    return found


def sequences_of(data: bytes) -> list[int]:
    """Return the sequence of each PDU."""
    return [header[2] for header in headers(data)]


# --- binding ---------------------------------------------------------------------------


@pytest.mark.parametrize("mode", Mode)
def test_a_bind_opens_the_session(mode: Mode) -> None:
    """Each kind of bind is asked for with its command and opens with its response."""
    made = Session(SessionSettings(), 0.0)
    asked = codec.decode(made.bind(mode, {"system_id": "peyk", "password": "secret"}))
    assert isinstance(asked, Pdu)
    assert asked.fields["interface_version"] == 0x34
    answer = Pdu(asked.command | c.RESPONSE, 0, asked.sequence, {"system_id": "smsc"})
    batch = made.receive(codec.encode(answer), 1.0)
    assert (made.state, batch.events) == (State.BOUND, [Bound("smsc")])


@pytest.mark.parametrize("command", [c.BIND_TRANSCEIVER | c.RESPONSE, c.GENERIC_NACK])
def test_a_refused_bind_says_why(command: int) -> None:
    """The reason is told in words and the session is over."""
    made = Session(SessionSettings(), 0.0)
    made.bind(Mode.TRANSCEIVER, {"system_id": "peyk"})
    batch = made.receive(codec.pack(command, c.RINVPASWD, 1), 1.0)
    assert batch.events == [
        BindRefused(c.RINVPASWD),
        Ended("refused: invalid password (0x0E)"),
    ]
    assert made.state is State.CLOSED


def test_a_bind_without_an_answer_ends() -> None:
    """An SMSC that takes the connection and says nothing is given up in time."""
    made = Session(SessionSettings(bind_timeout=10), 0.0)
    made.bind(Mode.TRANSCEIVER, {"system_id": "peyk"})
    assert made.next_deadline == 10
    assert made.tick(9.9).events == []
    assert made.tick(10).events == [Ended("no answer to the bind in time")]


def test_a_text_right_behind_the_bind_response_is_not_lost() -> None:
    """An SMSC may deliver in the same segment in which it accepts the bind."""
    made = Session(SessionSettings(), 0.0)
    made.bind(Mode.TRANSCEIVER, {"system_id": "peyk"})
    accepted = codec.pack(c.BIND_TRANSCEIVER | c.RESPONSE, 0, 1, b"smsc\0")
    batch = made.receive(accepted + deliver(9), 1.0)
    assert [message.sequence for message in batch.requests] == [9]


def test_the_smsc_side_takes_and_refuses_binds() -> None:
    """The operator's session tells who asks, and answers in that command."""
    for accepted in (True, False):
        made = Session(SessionSettings(role=Role.SMSC), 0.0)
        fields = {"system_id": "peyk", "password": "secret"}
        batch = made.receive(codec.encode(Pdu(c.BIND_RECEIVER, 0, 8, fields)), 0.0)
        assert batch.events == [BindRequested(Mode.RECEIVER, "peyk", "secret")]
        reply = made.accept("smsc") if accepted else made.reject(c.RINVPASWD)
        status = 0 if accepted else c.RINVPASWD
        assert headers(reply) == [(c.BIND_RECEIVER | c.RESPONSE, status, 8)]
        assert made.state is (State.BOUND if accepted else State.CLOSED)


# --- what may come when ----------------------------------------------------------------


def in_state(role: Role, state: State) -> Session:
    """Return a session in that state."""
    if state is State.BOUND:
        return session(role)
    if state is State.UNBINDING:
        made = session(role)
        made.unbind(0.0)
        return made
    made = Session(SessionSettings(role=role), 0.0)
    if state is State.BINDING and role is Role.ESME:
        made.bind(Mode.TRANSCEIVER, {"system_id": "peyk"})
    elif state is State.BINDING:
        made.receive(codec.encode(Pdu(c.BIND_TRANSCEIVER, 0, 1)), 0.0)
    return made


@pytest.mark.parametrize(("role", "state"), MAY_RECEIVE)
@pytest.mark.parametrize("command", codec.FIELDS)
def test_every_command_in_every_state_has_its_answer(
    role: Role, state: State, command: int
) -> None:
    """The table holds: what may come is taken, what may not is refused, nothing raises."""
    made = in_state(role, state)
    pdu = ShortMessage(command) if command in codec.MESSAGES else Pdu(command, 0, 99)
    batch = made.receive(codec.encode(pdu), 1.0)
    replies = headers(batch.reply)
    if command & c.RESPONSE:
        assert replies == []
        assert batch.answers == []
        assert made.counters.stray_responses == 1
    elif command in MAY_RECEIVE[role, state]:
        assert all(status == 0 for _, status, _ in replies)
    else:
        assert len(replies) == 1
        assert replies[0][1] in (c.RINVCMDID, c.RINVBNDSTS, c.RALYBND, c.RX_T_APPN)
    assert batch.requests == [] or command in (c.DELIVER_SM, c.SUBMIT_SM, c.DATA_SM)


@pytest.mark.parametrize(
    ("role", "mode", "command"),
    [
        (Role.ESME, Mode.TRANSMITTER, c.DELIVER_SM),
        (Role.SMSC, Mode.RECEIVER, c.SUBMIT_SM),
    ],
)
def test_a_bind_of_one_way_refuses_the_other(role: Role, mode: Mode, command: int) -> None:
    """A message against the direction of the bind is answered with "wrong bind status"."""
    batch = session(role, mode).receive(codec.pack(command, 0, 4, BODY), 0.0)
    assert batch.requests == []
    assert headers(batch.reply) == [(command | c.RESPONSE, c.RINVBNDSTS, 4)]


def test_while_unbinding_a_text_is_left_with_the_smsc() -> None:
    """A text that comes after our unbind is refused for now, so that it comes again."""
    made = session()
    made.unbind(0.0)
    batch = made.receive(deliver(4), 0.0)
    assert headers(batch.reply) == [(c.DELIVER_SM_RESP, c.RX_T_APPN, 4)]


# --- reading ---------------------------------------------------------------------------


@given(st.lists(st.integers(1, 40), max_size=30))
def test_however_the_bytes_are_cut_the_same_comes_out(cuts: list[int]) -> None:
    """TCP may cut anywhere; every text comes once and in its order."""
    made, data, found, at = session(), deliver(1, 2, 3) + codec.pack(c.ENQUIRE_LINK, 0, 4), [], 0
    replies = b""
    for size in [*cuts, len(data)]:
        batch = made.receive(data[at : at + size], 0.0)
        at += size
        found += [message.sequence for message in batch.requests]
        replies += batch.reply
        if at >= len(data):
            break
    assert found == [1, 2, 3]
    assert headers(replies) == [(c.ENQUIRE_LINK_RESP, 0, 4)]


def test_one_read_is_one_batch() -> None:
    """Texts, responses and enquire_links of one read come together, with one reply."""
    made = session()
    (sequence,) = submit(made, 70)
    batch = made.receive(
        deliver(1) + response(sequence) + codec.pack(c.ENQUIRE_LINK, 0, 5) + deliver(2), 1.0
    )
    assert [message.sequence for message in batch.requests] == [1, 2]
    assert batch.answers == [Answer(70, 0, "id")]
    assert headers(batch.reply) == [(c.ENQUIRE_LINK_RESP, 0, 5)]


def test_data_sm_is_answered_as_data_sm() -> None:
    """A text in data_sm goes up like any other and gets data_sm_resp."""
    made = session()
    data = codec.encode(ShortMessage(c.DATA_SM, 0, 6, source="98913"))
    batch = made.receive(data + deliver(7), 0.0)
    assert [message.sequence for message in batch.requests] == [6, 7]
    assert headers(made.acknowledge([6, 7])) == [
        (c.DATA_SM_RESP, 0, 6),
        (c.DELIVER_SM_RESP, 0, 7),
    ]


@pytest.mark.parametrize("command", [0x7777, 0x21, 0x80007777, 0x0B])
def test_an_unknown_command_is_nacked_and_survived(command: int) -> None:
    """generic_nack 0x03, and what follows is read as ever."""
    batch = session().receive(codec.pack(command, 0, 5, b"??") + deliver(6), 0.0)
    assert headers(batch.reply) == [(c.GENERIC_NACK, c.RINVCMDID, 5)]
    assert [message.sequence for message in batch.requests] == [6]


def test_a_malformed_body_is_nacked_and_survived() -> None:
    """The framing is right, so the connection goes on."""
    made = session()
    batch = made.receive(codec.pack(c.DELIVER_SM, 0, 5, b"\0\1") + deliver(6), 0.0)
    assert headers(batch.reply) == [(c.GENERIC_NACK, c.RINVCMDLEN, 5)]
    assert [message.sequence for message in batch.requests] == [6]
    assert made.counters.malformed == 1


@pytest.mark.parametrize(
    "data", [b"\0\0\0\x0f", b"\0\0\0\0" * 4, b"\xff" * 20, b"\x00\x02\x00\x01"]
)
def test_an_impossible_length_ends_the_session(data: bytes) -> None:
    """Four octets are enough to see that no next PDU can be found: nack and close."""
    made = session()
    batch = made.receive(deliver(1) + data, 0.0)
    assert [message.sequence for message in batch.requests] == [1]
    assert [header[:2] for header in headers(batch.reply)] == [(c.GENERIC_NACK, c.RINVCMDLEN)]
    assert batch.events == [Ended("a PDU with an impossible length came")]
    assert made.receive(deliver(2), 0.0).requests == []


def test_unread_bytes_are_bounded() -> None:
    """No more than one PDU is ever kept."""
    made = session(max_pdu=1000)
    made.receive((1000).to_bytes(4) + bytes(900), 0.0)
    assert len(made._buffer) == 904
    made.receive(bytes(96) + (900).to_bytes(4), 0.0)
    assert len(made._buffer) == 4


def test_enquire_link_and_unbind_are_answered() -> None:
    """The SMSC's own questions are answered by the session, and its unbind ends it."""
    made = session()
    batch = made.receive(codec.pack(c.ENQUIRE_LINK, 0, 5) + codec.pack(c.UNBIND, 0, 6), 0.0)
    assert headers(batch.reply) == [(c.ENQUIRE_LINK_RESP, 0, 5), (c.UNBIND_RESP, 0, 6)]
    assert batch.events == [Ended("the other end unbound")]


# --- responses -------------------------------------------------------------------------


def test_responses_find_their_messages_in_any_order() -> None:
    """Each response goes to the message of its sequence."""
    made = session()
    first, second = submit(made, 70, 71)
    batch = made.receive(response(second, 0, b"b\0") + response(first, c.RTHROTTLED, b""), 1.0)
    assert batch.answers == [Answer(71, 0, "b"), Answer(70, c.RTHROTTLED, "")]
    assert made.outgoing.in_flight == 0


def test_stray_and_repeated_responses_are_counted() -> None:
    """A response to nothing, or a second one, changes nothing but a counter."""
    made = session()
    (sequence,) = submit(made, 70)
    batch = made.receive(response(sequence) + response(sequence) + response(999), 1.0)
    assert len(batch.answers) == 1
    assert made.counters.stray_responses == 2


def test_a_response_of_another_kind_is_stray() -> None:
    """A data_sm_resp does not answer a submit_sm."""
    made = session()
    (sequence,) = submit(made, 70)
    batch = made.receive(codec.pack(c.DATA_SM_RESP, 0, sequence, b"id\0"), 1.0)
    assert (batch.answers, made.outgoing.in_flight) == ([], 1)


@pytest.mark.parametrize(("status", "seen"), [(c.RINVCMDLEN, c.RINVCMDLEN), (0, c.RINVCMDID)])
def test_a_nack_answers_a_message(status: int, seen: int) -> None:
    """A message that the SMSC could not read is refused, never taken for accepted."""
    made = session()
    (sequence,) = submit(made, 70)
    batch = made.receive(codec.pack(c.GENERIC_NACK, status, sequence), 1.0)
    assert batch.answers == [Answer(70, seen, "")]


def test_the_window_holds_the_rest_back() -> None:
    """At most a window is on the wire; the next is written as each response comes."""
    made = session(window=2)
    assert len(submit(made, 1, 2, 3, 4)) == 2
    assert (made.outgoing.free_window, made.outgoing.in_flight) == (0, 2)
    batch = made.receive(response(2), 1.0)
    assert sequences_of(batch.reply) == [4]
    batch = made.receive(response(3) + response(4), 1.0)
    assert sequences_of(batch.reply) == [5]
    assert made.outgoing.written == 4


def test_the_backlog_is_bounded() -> None:
    """``room`` says how many more are taken."""
    made = session(window=2, backlog=3)
    assert made.outgoing.room == 5
    submit(made, 1, 2, 3)
    assert made.outgoing.room == 2


def test_sequences_wrap_and_skip_what_is_in_use() -> None:
    """After 0x7FFFFFFF comes 1, unless a message with that number still waits."""
    made = session()
    made.outgoing._sequence = 0
    assert submit(made, 70) == [1]
    made.outgoing._sequence = c.MAX_SEQUENCE - 1
    assert submit(made, 71, 72) == [c.MAX_SEQUENCE, 2]


def test_a_late_response_makes_a_message_uncertain() -> None:
    """After its timeout a message is given up; the response that comes then is stray."""
    made = session(response_timeout=30, enquire_link=0)
    submit(made, 70)
    submit(made, 71, now=5.0)
    assert made.next_deadline == 30
    assert made.tick(29).answers == []
    assert made.tick(30).answers == [Answer(70, NO_RESPONSE, "")]
    assert made.next_deadline == 35
    assert made.receive(response(2), 31).answers == []
    assert (made.counters.timeouts, made.counters.stray_responses) == (1, 1)


def test_a_timeout_lets_the_next_message_out() -> None:
    """The window is free again once a response is given up."""
    made = session(window=1, response_timeout=30, enquire_link=0)
    submit(made, 70, 71)
    assert sequences_of(made.tick(30).reply) == [3]


def test_closing_answers_for_everything() -> None:
    """What was written is uncertain, what was not is unsent, and each comes once."""
    made = session(window=1)
    submit(made, 70, 71)
    assert made.close().answers == [Answer(70, NO_RESPONSE, ""), Answer(71, NEVER_WRITTEN, "")]
    assert made.close().answers == []


# --- confirmations ---------------------------------------------------------------------


def test_a_response_confirms_what_was_acknowledged_before_its_request() -> None:
    """The SMSC reads in order: only acknowledgements before the request are confirmed."""
    made = session()
    made.receive(deliver(1, 2, 3), 0.0)
    made.acknowledge([1, 2])
    (sequence,) = submit(made, 70)
    made.acknowledge([3])
    assert (made.outgoing.acknowledged, made.outgoing.confirmed) == (3, 0)
    made.receive(response(sequence), 1.0)
    assert made.outgoing.confirmed == 2


def test_confirmations_do_not_go_back() -> None:
    """A response that comes late and out of order takes nothing back."""
    made = session()
    (first,) = submit(made, 70)
    made.acknowledge([1])
    (second,) = submit(made, 71)
    made.receive(response(second) + response(first), 1.0)
    assert made.outgoing.confirmed == 1


def test_enquire_link_confirms_too() -> None:
    """Where we only receive, enquire_link shows that our answers were read."""
    made = session(enquire_link=30)
    made.refuse([1], c.RX_T_APPN)
    assert made.next_deadline == 30
    # Texts that come do not put it off: they confirm nothing.
    made.receive(deliver(2), 29.0)
    ((command, _, sequence),) = headers(made.tick(30.0).reply)
    assert command == c.ENQUIRE_LINK
    made.receive(codec.pack(c.ENQUIRE_LINK_RESP, 0, sequence), 31.0)
    assert made.outgoing.confirmed == 1
    assert made.next_deadline == 61


def test_what_the_listener_never_saw_is_not_counted() -> None:
    """An unreadable receipt is answered but is no acknowledgement of the listener's."""
    made = session()
    assert headers(made.answer_unseen([4])) == [(c.DELIVER_SM_RESP, 0, 4)]
    assert made.outgoing.acknowledged == 0


# --- time ------------------------------------------------------------------------------


def test_a_dead_link_is_noticed() -> None:
    """So many enquire_link in a row without any answer end the session."""
    made = session(enquire_link=30, response_timeout=10, enquire_link_missed=2)
    assert made.tick(30.0).reply
    assert made.next_deadline == 40
    batch = made.tick(40.0)
    assert [header[0] for header in headers(batch.reply)] == [c.ENQUIRE_LINK]
    assert made.tick(50.0).events == [Ended("no answer to enquire_link")]


def test_traffic_shows_that_the_link_is_alive() -> None:
    """An SMSC that never answers enquire_link but sends texts is not dropped."""
    made = session(enquire_link=30, response_timeout=10, enquire_link_missed=2)
    for now in (30.0, 40.0, 50.0, 60.0):
        assert made.tick(now).events == []
        made.receive(deliver(1), now + 5)
    assert made.state is State.BOUND


def test_an_end_that_only_sends_is_not_trusted_for_ever() -> None:
    """One that answers nothing of ours may not read either, and our writes would pile up."""
    made = session(enquire_link=10, response_timeout=10, enquire_link_missed=2)
    now = 0.0
    while made.state is State.BOUND and now < 1000:
        now += 5.0
        batch = made.tick(now)
        made.receive(deliver(1), now)
    assert batch.events == [Ended("nothing of ours was answered for too long")]
    assert 100 <= now <= 120


def test_while_reading_is_paused_nothing_is_late() -> None:
    """A pause longer than every timeout costs no message and no link."""
    made = session(response_timeout=10, enquire_link=30)
    submit(made, 70)
    made.pause()
    assert made.next_deadline is None
    assert made.tick(100.0).answers == []
    made.resume(100.0)
    batch = made.tick(100.0)
    assert (batch.answers, batch.events) == ([], [])
    assert made.receive(response(2), 101.0).answers == [Answer(70, 0, "id")]
    assert made.tick(115.0).events == []


def test_silence_ends_a_session_where_that_is_asked_for() -> None:
    """The inactivity timer counts from the last octet."""
    made = session(Role.SMSC, inactivity=60, enquire_link=0)
    made.receive(codec.pack(c.ENQUIRE_LINK, 0, 5), 10.0)
    assert made.next_deadline == 70
    assert made.tick(69.0).events == []
    assert made.tick(70.0).events == [Ended("nothing came for too long")]


def test_unbinding_ends_with_the_answer_or_without() -> None:
    """We wait for unbind_resp, but not for long, even if reading was paused."""
    made = session()
    assert headers(made.unbind(0.0)) == [(c.UNBIND, 0, 2)]
    assert made.receive(codec.pack(c.UNBIND_RESP, 0, 2), 1.0).events == [Ended("unbound")]
    made = session(unbind_timeout=3)
    made.pause()
    made.unbind(0.0)
    assert made.next_deadline == 3
    assert made.tick(3.0).events == [Ended("no answer to the unbind in time")]
