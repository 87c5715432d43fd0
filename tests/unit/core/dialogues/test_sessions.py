"""A session from dial to end: its row and steps, what comes again, is cut, or is too much."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select

from core.dialogues.types import Event
from core.suspects import Unconfirmed
from core.tables import outbox, readings, subscribers
from tests.conftest import CountStatements
from tests.talkers import CODE, MENU, NUMBER, RESUME_MS, SECRET, TIMEOUT_MS
from tests.unit.core.dialogues.conftest import Handsets, screens

WRONG = "0000"


def _booked(handsets: Handsets) -> int:
    """How many readings subscribers have sent."""
    query = (
        select(func.count())
        .select_from(readings)
        .join(subscribers, subscribers.c.id == readings.c.subscriber_id)
        .where(subscribers.c.number == NUMBER, readings.c.source == "ussd")
    )
    return handsets.database.read("test", lambda c: c.execute(query).scalar_one())


def _sign_in(handsets: Handsets) -> None:
    assert handsets.dial() == [MENU]
    assert handsets.type(f"2*{NUMBER}*{SECRET}") == ["signed in"]


def _reading(handsets: Handsets) -> str:
    query = (
        select(func.max(readings.c.reading))
        .join(subscribers, subscribers.c.id == readings.c.subscriber_id)
        .where(subscribers.c.number == NUMBER)
    )
    last = handsets.database.read("test", lambda c: c.execute(query).scalar_one())
    return f"3*{last + 1}"


def test_a_session_goes_on_from_its_row(handsets: Handsets) -> None:
    """A code is shown once, is stored nowhere, and later calls need none."""
    _sign_in(handsets)
    assert handsets.type(_reading(handsets)) == ["submit_reading done"]
    assert _booked(handsets) == 1
    session = handsets.session
    assert (session.steps, session.ended_at, session.line) == (3, None, CODE)
    assert json.loads(session.state)["shown"] == [NUMBER]
    begin, sign_in, reading = handsets.steps
    assert [step.event for step in handsets.steps] == ["begin", "answer", "answer"]
    assert (begin.operation, sign_in.operation, sign_in.outcome) == ("", "sign_in", "done")
    assert reading.subscriber_id is not None
    assert SECRET not in json.dumps([list(step) for step in handsets.steps])
    assert SECRET not in json.dumps(list(session))


def test_wrong_codes_lock_as_they_do_by_text(handsets: Handsets) -> None:
    """The fifth wrong code locks, and the right one does not open it."""
    handsets.dial()
    for _ in range(4):
        assert handsets.type(f"2*{NUMBER}*{WRONG}") == ["sign_in not_recognised"]
    assert handsets.type(f"2*{NUMBER}*{WRONG}") == ["sign_in locked_out"]
    assert handsets.type(f"2*{NUMBER}*{SECRET}") == ["sign_in locked_out"]


def test_a_whole_path_is_dialled_at_once(handsets: Handsets) -> None:
    """Calls of one input follow each other; the last one is what is stored of it."""
    assert handsets.dial("*1522*two#") == ["balance not_registered."]
    (step,) = handsets.steps
    assert (step.operation, step.outcome) == ("balance", "not_registered")
    assert handsets.session.ended_by == "menu"


def test_a_menu_that_goes_in_a_circle_is_left(handsets: Handsets) -> None:
    """Its calls come to nothing after a while, and the handset is told."""
    assert handsets.dial("*1522*circle#") == ["failed."]


def test_poison_is_set_aside_alone(handsets: Handsets) -> None:
    """The session hears that it failed; the others of the batch know nothing of it."""
    other = handsets.make(Event.BEGIN, CODE, mobile="989160000002")
    bad = handsets.make(Event.BEGIN, "*1522*poison#")
    done = handsets.run(bad, other)
    assert sorted(screens(done)) == [MENU, "no such operation failed"]
    assert not done.refused
    aside = next(step for step in handsets.steps if step.error)
    assert (aside.id, aside.outcome) == (bad.id, "failed")
    assert "KeyError" in aside.error


def test_texts_go_out_besides(handsets: Handsets) -> None:
    """In parts, before whatever is sent in bulk, from the line for texts."""
    done = handsets.run(handsets.make(Event.BEGIN, "*1522*text#"))
    assert done.queued
    rows = handsets.rows(outbox)
    assert [(row.text, row.part, row.parts, row.priority) for row in rows] == [
        ("a", 1, 2, 0),
        ("b", 2, 2, 0),
    ]
    assert {row.line for row in rows} == {handsets.talker.sms_line}


# --- what comes again ---------------------------------------------------------------


def test_what_comes_again_with_its_turn_is_shown_again_and_not_done_again(
    handsets: Handsets,
) -> None:
    """Nothing is booked twice, whatever a network delivers twice, also in one batch."""
    _sign_in(handsets)
    said = _reading(handsets)
    first = handsets.make(Event.ANSWER, said, turn="7")
    again = first._replace(id=handsets.desk.ids.one())
    assert screens(handsets.run(first, again)) == ["submit_reading done"] * 2
    later = first._replace(id=handsets.desk.ids.one())
    done = handsets.run(later)
    assert screens(done) == ["submit_reading done"]
    assert done.redelivered == {later.id: first.id}
    assert _booked(handsets) == 1
    assert len(handsets.steps) == 3


def test_a_suspect_that_comes_again_is_shown_again(handsets: Handsets) -> None:
    """A network without turns: what was not surely acknowledged is known by what it says."""
    _sign_in(handsets)
    first = handsets.make(Event.ANSWER, _reading(handsets))
    handsets.run(first)
    lost = Unconfirmed(first.id, "mci", first.fingerprint, first.received_at)
    again = first._replace(id=handsets.desk.ids.one(), connection=2)
    done = handsets.run(again, unconfirmed=[lost])
    assert screens(done) == ["submit_reading done"]
    assert _booked(handsets) == 1

    handsets.type("on")
    handsets.run(unconfirmed=[lost])
    late = first._replace(id=handsets.desk.ids.one(), connection=3)
    assert screens(handsets.run(late)) == []  # the session has gone on since
    assert _booked(handsets) == 1


def test_a_last_screen_is_shown_again(handsets: Handsets) -> None:
    """The handset may not have got it."""
    first = handsets.make(Event.BEGIN, "*1522*1#", turn="0")
    assert screens(handsets.run(first)) == ["balance not_registered."]
    again = first._replace(id=handsets.desk.ids.one())
    assert screens(handsets.run(again)) == ["balance not_registered."]
    assert len(handsets.steps) == 1


def test_an_equal_turn_of_a_new_dial_is_no_repetition(handsets: Handsets) -> None:
    """Short session ids come round: what was dialled tells them apart."""
    handsets.dial(turn="0")
    assert handsets.dial("*1522*1#", turn="0") == ["balance not_registered."]


# --- one at a time, and its end -------------------------------------------------------


def test_a_new_dial_ends_the_old_session(handsets: Handsets) -> None:
    """An answer to the old one comes too late, and says so."""
    handsets.dial()
    done = handsets.run(handsets.make(Event.BEGIN, CODE, session="s2"))
    assert (done.dialled["opened"], done.dialled["ended"], done.more_open) == (1, 1, 0)
    done = handsets.run(handsets.make(Event.ANSWER, "1", session="s1"))
    assert screens(done) == ["over."]
    assert done.dialled["late"] == 1
    assert handsets.type("x", session="s2") == [MENU]


@pytest.mark.parametrize("event", [Event.ABORT, Event.TIMEOUT])
def test_a_session_that_was_cut_is_offered_again(handsets: Handsets, event: Event) -> None:
    """For some minutes, to who dials the same code; then it is forgotten."""
    _sign_in(handsets)
    done = handsets.run(handsets.make(event, ""))
    assert screens(done) == []
    assert handsets.session.ended_by == ("user" if event is Event.ABORT else "timeout")
    handsets.clock.advance(RESUME_MS / 1000 - 1)
    handsets.dial(session="s2")
    assert NUMBER in handsets.talker.heard[-1].cut
    handsets.run(handsets.make(event, "", session="s2"))
    handsets.clock.advance(RESUME_MS / 1000)
    handsets.dial(session="s3")
    assert handsets.talker.heard[-1].cut == ""


def test_a_session_that_the_menu_has_ended_is_not_offered(handsets: Handsets) -> None:
    """It was over."""
    handsets.dial("*1522*bye#")
    assert handsets.session.ended_by == "menu"
    handsets.dial(session="s2")
    assert handsets.talker.heard[-1].cut == ""


def test_a_dial_and_its_abort_in_one_batch_show_nothing(handsets: Handsets) -> None:
    """No screen goes out to a session that is over by then."""
    begin, abort = handsets.make(Event.BEGIN, CODE), handsets.make(Event.ABORT, "")
    assert screens(handsets.run(begin, abort)) == []
    assert handsets.session.ended_by == "user"


def test_a_session_expires(handsets: Handsets) -> None:
    """An answer after that is never worked on; old rows are forgotten."""
    handsets.dial()
    handsets.clock.advance(TIMEOUT_MS / 1000)
    assert handsets.type("1") == ["over."]
    assert handsets.session.ended_by == "expired"
    handsets.dial(session="s2")
    handsets.clock.advance(TIMEOUT_MS / 1000)
    assert handsets.tidy().dialled["expired"] == 1
    assert handsets.desk.sessions.count == 0
    handsets.clock.advance(86_400)
    handsets.tidy()
    with pytest.raises(ValueError, match="not enough values"):
        _ = handsets.session


def test_who_the_network_names_only_once_is_known_by_the_session(handsets: Handsets) -> None:
    """Also within one batch, and never by another door's name."""
    handsets.dial()
    assert handsets.type("x", mobile="", line="") == [MENU]
    assert handsets.type("x", mobile="", line="", session="s9") == ["."]
    begin = handsets.make(Event.BEGIN, CODE, mobile="989160000002", session="s5")
    answer = handsets.make(Event.ANSWER, "1", mobile="", session="s5")
    assert screens(handsets.run(begin, answer)) == [MENU, "balance not_registered."]


def test_a_code_that_no_line_has_is_answered_by_nobody(handsets: Handsets) -> None:
    """The session is closed without words of ours."""
    done = handsets.run(handsets.make(Event.BEGIN, "*99#", line=""))
    assert (screens(done), done.dialled["unknown"]) == (["."], 1)
    assert not handsets.steps


# --- sessions of ours -----------------------------------------------------------------


def test_a_session_of_ours_takes_the_name_that_the_network_gives_it(handsets: Handsets) -> None:
    """We begin it; the first answer tells what it is called."""
    done = handsets.run(handsets.make(Event.OPEN, "survey", session="77"))
    assert [(shown.opens, shown.ends) for shown in done.screens] == [(Event.OPEN, False)]
    assert handsets.type("x", session="5") == [MENU]
    assert handsets.type("x", session="5") == [MENU]
    busy = handsets.run(handsets.make(Event.OPEN, "survey", session="78"))
    assert (screens(busy), busy.dialled["busy"]) == ([], 1)


def test_a_notification_is_over_when_it_was_seen(handsets: Handsets) -> None:
    """Nothing is shown after it."""
    done = handsets.run(handsets.make(Event.OPEN, "notice", session="77"))
    assert [shown.opens for shown in done.screens] == [Event.CONFIRM]
    assert handsets.session.ended_at is None
    assert screens(handsets.run(handsets.make(Event.CONFIRM, "", session="3"))) == []
    assert handsets.session.ended_by == "menu"


# --- limits ---------------------------------------------------------------------------


def test_dials_of_a_minute_are_limited(handsets: Handsets) -> None:
    """The count goes from session to session, and begins anew."""
    for number in range(5):
        assert handsets.dial(session=f"s{number}") != ["limit."]
    done = handsets.run(handsets.make(Event.BEGIN, CODE, session="s6"))
    assert (screens(done), done.dialled["limited"]) == (["limit."], 1)
    handsets.clock.advance(60)
    assert handsets.dial(session="s7") != ["limit."]


def test_inputs_of_a_minute_are_limited(handsets: Handsets) -> None:
    """The session ends with a word, and nothing is worked on."""
    handsets.dial()
    for _ in range(11):
        assert handsets.type("x") == [MENU]
    assert handsets.type("1") == ["limit."]
    assert handsets.session.ended_by == "limit"
    assert handsets.type("1") == ["over."]


def test_beyond_so_many_sessions_the_oldest_end(handsets: Handsets) -> None:
    """The count is carried along, and the one that would expire first goes."""
    object.__setattr__(handsets.desk, "limits", handsets.desk.limits.__class__(2, 5, 12))
    for number in range(3):
        handsets.clock.advance(1)
        handsets.dial(mobile=f"98916000000{number}", session=f"s{number}")
    assert handsets.desk.sessions.count == 2
    assert handsets.type("x", mobile="989160000000", session="s0") == ["over."]
    assert handsets.type("x", mobile="989160000002", session="s2") == [MENU]


# --- its cost -------------------------------------------------------------------------


def test_a_batch_costs_the_same_for_1_and_200_inputs(
    handsets: Handsets, count_statements: CountStatements
) -> None:
    """New sessions with two calls each, answers, and inputs without a mobile."""

    def cost(number: int) -> int:
        mobiles = [f"98917{number:03}{place:04}" for place in range(number)]
        for mobile in mobiles:
            handsets.dial(mobile=mobile, session=mobile)
        inputs = [
            handsets.make(Event.BEGIN, "*1522*two#", mobile=f"98918{mobile[5:]}", session=mobile)
            for mobile in mobiles
        ]
        inputs += [
            handsets.make(Event.ANSWER, "text", mobile="", session=mobile) for mobile in mobiles[:1]
        ]
        inputs += [
            handsets.make(Event.ANSWER, "1", mobile=mobile, session=mobile)
            for mobile in mobiles[1:]
        ]
        with count_statements(handsets.database) as counted:
            handsets.run(*inputs)
        return counted.total

    assert cost(2) == cost(200) <= 24
