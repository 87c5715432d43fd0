"""What results and receipts make of a message: every row of both tables."""

from __future__ import annotations

import pytest

from core.outbox import ANSWER_ATTEMPTS, RETRY_MS, Outgoing, Result, Sent, State
from core.policies import LONGEST_PAUSE_MS, as_settings, from_settings, pause_after
from core.receipts import ReceiptFor, Taken, after_receipt
from core.results import Change, after_send
from core.schedules import Window
from core.templates.types import SendPolicy

NOW = 1_790_000_000_000
"""17:43:20 in Tehran, a Monday."""
TEN_PAST_MIDNIGHT = NOW + 23_200_000
EIGHT_TOMORROW = NOW + 51_400_000
ROW = Outgoing(7, "989131234567", "100034122", "سلام", 1, 1, 7, 0, 0, ANSWER_ATTEMPTS, True, None)  # noqa: FBT003
DAY = Window(480, 1260)
POLICY = SendPolicy((60, 600), 50, (DAY,), frozenset({"undeliverable"}))
OF_A_TEMPLATE = ROW._replace(
    priority=3, max_attempts=3, resend_uncertain=False, template_id=1, policy_id=1
)
TAKEN = Taken(7, "mci", "a1", "accepted", 1, 3, NOW + 86_400_000, NOW - 9, "989131234567", 1, 1)


def sent(result: Result, row: Outgoing = ROW, smsc_id: str = "") -> Sent:
    """The result of one submission."""
    return Sent(row, result, "mci", smsc_id, 0x58)


def receipt(says: State | None) -> ReceiptFor:
    """What the operator says became of it."""
    return ReceiptFor("mci", "a1", says, "027", NOW - 5)


def outcome(change: Change) -> tuple[State, int, int]:
    """State, attempts, and milliseconds until it is due."""
    return State(change.state), change.attempts, change.due_at - NOW


@pytest.mark.parametrize(
    ("result", "state", "attempts", "pause"),
    [
        (Result.PERMANENT, State.REJECTED, 1, 0),
        (Result.BLOCKED, State.SUPPRESSED, 1, 0),
        (Result.TEMPORARY, State.WAITING, 1, RETRY_MS[0]),
        (Result.THROTTLED, State.WAITING, 0, 1_000),
        (Result.UNCERTAIN, State.WAITING, 1, 1_000),
        (Result.UNSENT, State.QUEUED, 0, 0),
    ],
)
def test_a_first_result(result: Result, state: State, attempts: int, pause: int) -> None:
    """Speed and lost connections cost no attempt; failures do, and are tried again later."""
    change = after_send(sent(result, smsc_id="abc"), NOW)
    assert outcome(change) == (state, attempts, pause)
    assert change.node is None


@pytest.mark.parametrize(
    ("result", "state", "attempts", "pause"),
    [
        (Result.PERMANENT, State.REJECTED, 1, 0),
        (Result.BLOCKED, State.SUPPRESSED, 1, 0),
        (Result.TEMPORARY, State.WAITING, 1, 60_000),
        (Result.THROTTLED, State.WAITING, 0, 1_000),
        (Result.UNCERTAIN, State.UNCERTAIN, 1, 0),
        (Result.UNSENT, State.QUEUED, 0, 0),
    ],
)
def test_a_first_result_by_policy(result: Result, state: State, attempts: int, pause: int) -> None:
    """The pauses are the template's, and nobody is told twice unless it says so."""
    change = after_send(sent(result, OF_A_TEMPLATE, "abc"), NOW, POLICY)
    assert outcome(change) == (state, attempts, pause)


def test_an_uncertain_message_that_is_wanted_again_waits_as_its_policy_says() -> None:
    """The operator may still deliver the first one: a campaign is in no hurry."""
    row = OF_A_TEMPLATE._replace(resend_uncertain=True)
    assert outcome(after_send(sent(Result.UNCERTAIN, row), NOW, POLICY)) == (
        State.WAITING, 1, 60_000,
    )  # fmt: skip


def test_an_uncertain_message_is_not_sent_again_unless_that_is_wanted() -> None:
    """A campaign would rather leave one out than bill somebody twice."""
    row = ROW._replace(resend_uncertain=False)
    assert after_send(sent(Result.UNCERTAIN, row), NOW).state == State.UNCERTAIN


@pytest.mark.parametrize("policy", [None, POLICY])
@pytest.mark.parametrize(
    ("result", "state"),
    [(Result.TEMPORARY, State.UNDELIVERABLE), (Result.UNCERTAIN, State.UNCERTAIN)],
)
def test_the_last_attempt_is_the_last(
    result: Result, state: State, policy: SendPolicy | None
) -> None:
    """Nothing is tried for ever."""
    row = ROW._replace(attempts=ANSWER_ATTEMPTS - 1)
    assert after_send(sent(result, row), NOW, policy).state == state


def test_pauses_grow_and_then_stay() -> None:
    """Each further attempt waits as long as its place in the table says, or as the last."""
    pauses = [
        after_send(sent(Result.TEMPORARY, ROW._replace(attempts=n)), NOW).due_at - NOW
        for n in range(8)
    ]
    assert pauses == [*RETRY_MS, RETRY_MS[-1], RETRY_MS[-1]]


def test_the_last_pause_of_a_policy_grows() -> None:
    """By so much each time; never beyond reason, however many attempts there are."""
    assert [pause_after(POLICY, n) for n in (1, 2, 3, 4)] == [60_000, 600_000, 900_000, 1_350_000]
    assert pause_after(POLICY, 10_000) == LONGEST_PAUSE_MS
    assert pause_after(SendPolicy((), 0, (), frozenset()), 1) == RETRY_MS[0]


def test_a_message_is_not_tried_again_after_its_time() -> None:
    """An answer of yesterday helps nobody."""
    row = ROW._replace(expires_at=NOW + 1_000)
    assert after_send(sent(Result.TEMPORARY, row), NOW).state == State.EXPIRED


def test_a_further_attempt_waits_for_the_hours_of_its_policy() -> None:
    """Or is given up where they come too late."""
    late = TEN_PAST_MIDNIGHT
    change = after_send(sent(Result.TEMPORARY, OF_A_TEMPLATE), late, POLICY)
    assert (change.state, change.due_at) == (State.WAITING, EIGHT_TOMORROW)
    row = OF_A_TEMPLATE._replace(expires_at=EIGHT_TOMORROW)
    assert after_send(sent(Result.TEMPORARY, row), late, POLICY).state == State.EXPIRED
    unsent = after_send(sent(Result.UNSENT, OF_A_TEMPLATE), late, POLICY)
    assert (unsent.state, unsent.due_at) == (State.QUEUED, EIGHT_TOMORROW)


CORRECTED = (State.UNDELIVERABLE, State.EXPIRED, State.WAITING)
FINAL = [
    State.DELIVERED, State.UNDELIVERABLE, State.EXPIRED, State.REJECTED, State.SUPPRESSED,
]  # fmt: skip


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("says", FINAL)
def test_what_a_receipt_may_change(state: State, says: State) -> None:
    """Only what the operator took is settled; "delivered" corrects, and stays."""
    changed = after_receipt(TAKEN._replace(state=state.value), receipt(says), NOW)
    corrects = says is State.DELIVERED and state in CORRECTED
    if state is State.ACCEPTED or corrects:
        assert changed is not None
        assert (changed.was, changed.state, changed.error) == (state, says, "027")
        assert (changed.changed_at, changed.due_at) == (NOW - 5, None)
    else:
        assert changed is None


@pytest.mark.parametrize("says", FINAL)
def test_a_failure_that_the_policy_names_is_tried_again(says: State) -> None:
    """The others are as final as they are for answers."""
    changed = after_receipt(TAKEN, receipt(says), NOW, POLICY)
    assert changed is not None
    if says is State.UNDELIVERABLE:
        assert (changed.state, changed.due_at) == (State.WAITING, NOW + 60_000)
    else:
        assert (changed.state, changed.due_at) == (says, None)


@pytest.mark.parametrize(
    "row", [TAKEN._replace(attempts=3), TAKEN._replace(expires_at=NOW + 60_000)]
)
def test_a_failure_is_final_without_attempts_or_time(row: Taken) -> None:
    """What the operator said is what it is."""
    changed = after_receipt(row, receipt(State.UNDELIVERABLE), NOW, POLICY)
    assert changed is not None
    assert changed.state == State.UNDELIVERABLE


def test_a_receipt_that_says_nothing_final_changes_nothing() -> None:
    """It is on its way, says the operator: so it is."""
    assert after_receipt(TAKEN, receipt(None), NOW, POLICY) is None


def test_equal_policies_are_stored_alike() -> None:
    """So that a million messages and a hundred templates share a few rows."""
    other = SendPolicy((60, 600), 50, (Window(480, 1260, frozenset(range(7))),), POLICY.retry_on)
    assert as_settings(other) == as_settings(POLICY)
    assert from_settings(as_settings(POLICY)) == POLICY
