"""What results and receipts make of a message: every row of both tables."""

from __future__ import annotations

import pytest

from core.outbox import ANSWER_ATTEMPTS, RETRY_MS, Outgoing, Result, Sent, State
from core.receipts import after_receipt
from core.sending import after_send

NOW = 1_790_000_000_000
ROW = Outgoing(7, "989131234567", "100034122", "سلام", 1, 1, 7, 0, 0, ANSWER_ATTEMPTS, True, None)  # noqa: FBT003


def sent(result: Result, row: Outgoing = ROW, smsc_id: str = "") -> Sent:
    """The result of one submission."""
    return Sent(row, result, "mci", smsc_id, 0x58)


@pytest.mark.parametrize(
    ("result", "state", "attempts", "pause"),
    [
        (Result.ACCEPTED, State.ACCEPTED, 1, 0),
        (Result.PERMANENT, State.REJECTED, 1, 0),
        (Result.TEMPORARY, State.WAITING, 1, RETRY_MS[0]),
        (Result.THROTTLED, State.WAITING, 0, 1_000),
        (Result.UNCERTAIN, State.WAITING, 1, 1_000),
        (Result.UNSENT, State.QUEUED, 0, 0),
    ],
)
def test_a_first_result(result: Result, state: State, attempts: int, pause: int) -> None:
    """Speed and lost connections cost no attempt; failures do, and are tried again later."""
    change = after_send(sent(result, smsc_id="abc"), NOW)
    assert (change.state, change.attempts, change.due_at - NOW) == (state, attempts, pause)
    assert change.node is None


def test_an_accepted_message_keeps_the_operators_id() -> None:
    """The receipt will name it."""
    change = after_send(sent(Result.ACCEPTED, smsc_id="a1"), NOW)
    assert (change.smsc, change.smsc_id) == ("mci", "a1")


def test_an_uncertain_message_is_not_sent_again_unless_that_is_wanted() -> None:
    """A campaign would rather leave one out than bill somebody twice."""
    row = ROW._replace(resend_uncertain=False)
    assert after_send(sent(Result.UNCERTAIN, row), NOW).state == State.UNCERTAIN


@pytest.mark.parametrize(
    ("result", "state"),
    [(Result.TEMPORARY, State.UNDELIVERABLE), (Result.UNCERTAIN, State.UNCERTAIN)],
)
def test_the_last_attempt_is_the_last(result: Result, state: State) -> None:
    """Nothing is tried for ever."""
    row = ROW._replace(attempts=ANSWER_ATTEMPTS - 1)
    assert after_send(sent(result, row), NOW).state == state


def test_pauses_grow_and_then_stay() -> None:
    """Each further attempt waits as long as its place in the table says, or as the last."""
    pauses = [
        after_send(sent(Result.TEMPORARY, ROW._replace(attempts=n)), NOW).due_at - NOW
        for n in range(8)
    ]
    assert pauses == [*RETRY_MS, RETRY_MS[-1], RETRY_MS[-1]]


def test_a_message_is_not_tried_again_after_its_time() -> None:
    """An answer of yesterday helps nobody."""
    row = ROW._replace(expires_at=NOW + 1_000)
    assert after_send(sent(Result.TEMPORARY, row), NOW).state == State.EXPIRED
    assert after_send(sent(Result.ACCEPTED, row), NOW).state == State.ACCEPTED


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize(
    "says", [State.DELIVERED, State.UNDELIVERABLE, State.EXPIRED, State.REJECTED]
)
def test_what_a_receipt_may_change(state: State, says: State) -> None:
    """Only what the operator took is settled; "delivered" corrects, and stays."""
    corrects = says is State.DELIVERED and state in (State.UNDELIVERABLE, State.EXPIRED)
    assert after_receipt(state, says) == (state is State.ACCEPTED or corrects)
