"""A bind's sender: window, order, rate, and giving back what it could not send."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from twisted.internet.task import Clock

from core.outbox import Outgoing, Result, Sent
from gateway.messages import OutboundSms, Screen, SendResult, SendStatus, Temporary
from gateway.outbound import Router, Sender, SenderSettings


class Line:
    """A connection that remembers what was submitted."""

    id = 1
    is_open = True
    acknowledged = 0
    confirmed = 0

    def __init__(self) -> None:
        self.submitted: list[OutboundSms] = []

    def submit(self, messages: Sequence[OutboundSms]) -> None:
        """Remember."""
        self.submitted += messages

    def acknowledge(self, sequences: Sequence[int]) -> None:
        """Not used here."""

    def refuse(self, sequences: Sequence[int], why: Temporary) -> None:
        """Not used here."""

    def show(self, screens: Sequence[Screen]) -> None:
        """Not used here."""

    def pause_reading(self) -> None:
        """Not used here."""

    def resume_reading(self) -> None:
        """Not used here."""


class Bench:
    """A sender on a clock, and what it has reported."""

    def __init__(self, window: int = 3, rate: float = 0) -> None:
        self.clock = Clock()
        self.clock.advance(1_000)
        self.settled: list[Sent] = []
        settings = SenderSettings("mci", "mci", window, rate, receipts=True)
        self.sender = Sender(settings, self.clock, lambda _bind, sent: self.settled.extend(sent))
        self.line = Line()

    def ids(self) -> list[int]:
        """What was submitted."""
        return [sms.id for sms in self.line.submitted]

    def respond(self, *ids: int, status: SendStatus = SendStatus.ACCEPTED) -> None:
        """The SMSC answers."""
        self.sender.sent([SendResult(i, status, f"s{i}", 0) for i in ids])


def row(number: int, priority: int = 0, parts: int = 1) -> Outgoing:
    """A message to send."""
    return Outgoing(
        id=number,
        mobile="989131234567",
        line="100034122",
        text="سلام",
        part=1,
        parts=parts,
        message_id=number,
        priority=priority,
        attempts=0,
        max_attempts=3,
        resend_uncertain=True,
        expires_at=None,
    )


def test_a_place_in_the_window_is_free_when_the_result_is_committed() -> None:
    """Not when the response arrives: so a kill leaves at most a window in doubt."""
    bench = Bench(window=2)
    bench.sender.bound(bench.line)
    bench.sender.hand_over([row(i) for i in range(1, 6)])
    bench.sender.pump()
    bench.respond(1, 2)
    bench.sender.pump()
    assert bench.ids() == [1, 2]
    bench.sender.committed(2)
    bench.sender.pump()
    assert bench.ids() == [1, 2, 3, 4]


def test_answers_to_people_overtake_everything_else() -> None:
    """A campaign of a million does not keep anybody waiting."""
    bench = Bench(window=2)
    bench.sender.bound(bench.line)
    bench.sender.hand_over([row(1, priority=5), row(2, priority=5), row(3)])
    bench.sender.pump()
    assert bench.ids() == [3, 1]


def test_a_rate_is_kept_by_waking_up_when_the_next_may_go() -> None:
    """Ten a second: one now, the next a tenth of a second later."""
    bench = Bench(window=100, rate=10)
    bench.sender.bound(bench.line)
    bench.sender.hand_over([row(i) for i in range(5)])
    bench.sender.pump()
    assert bench.ids() == [0]
    bench.clock.pump([0.1] * 2)
    assert bench.ids() == [0, 1, 2]


def test_throttling_holds_the_whole_bind_for_a_while() -> None:
    """What is already queued waits too, and goes by itself afterwards."""
    bench = Bench(window=2)
    bench.sender.bound(bench.line)
    bench.sender.hand_over([row(i) for i in range(1, 5)])
    bench.sender.pump()
    bench.respond(1, status=SendStatus.THROTTLED)
    bench.sender.committed(1)
    bench.sender.pump()
    assert bench.ids() == [1, 2]
    bench.clock.advance(0.5)
    assert bench.ids() == [1, 2, 3]


def test_a_lost_bind_gives_back_what_it_never_sent() -> None:
    """As unsent, so that no attempt is used up; what is in flight is reported by the bind."""
    bench = Bench(window=1)
    bench.sender.bound(bench.line)
    bench.sender.hand_over([row(1), row(2)])
    bench.sender.pump()
    bench.sender.lost()
    assert [(one.row.id, one.result) for one in bench.settled] == [(2, Result.UNSENT)]
    bench.respond(1, status=SendStatus.UNCERTAIN)
    assert (bench.settled[-1].row.id, bench.settled[-1].result) == (1, Result.UNCERTAIN)
    assert bench.sender.held == []


def test_what_is_handed_over_while_the_bind_is_down_comes_back_at_once() -> None:
    """It was up when the batch was made, and is not any more."""
    bench = Bench()
    bench.sender.hand_over([row(1)])
    assert [one.result for one in bench.settled] == [Result.UNSENT]


def test_a_result_nobody_waits_for_is_ignored() -> None:
    """A mistake of the network must not stop the daemon."""
    bench = Bench()
    bench.respond(404)
    assert bench.settled == []


def test_parts_of_one_message_share_a_reference_and_neighbours_do_not() -> None:
    """The phone joins what has the same reference."""
    bench = Bench(window=10)
    bench.sender.bound(bench.line)
    first, second = 249379995015708672, 249379995015708674
    bench.sender.hand_over(
        [
            row(first, parts=2)._replace(message_id=first),
            row(first + 1, parts=2)._replace(message_id=first, part=2),
            row(second, parts=2)._replace(message_id=second),
        ]
    )
    bench.sender.pump()
    parts = [sms.part for sms in bench.line.submitted if sms.part]
    assert parts[0].reference == parts[1].reference != parts[2].reference
    assert [part.number for part in parts] == [1, 2, 1]


@pytest.mark.parametrize(
    ("up", "arrived_on", "goes_by"),
    [
        ({"mci", "irancell"}, "irancell", "irancell"),  # back where it came from
        ({"mci", "irancell"}, "rightel", "mci"),  # a receiver: the line's first choice
        ({"irancell"}, "mci", "irancell"),  # the first choice is down
        (set(), "mci", None),
    ],
)
def test_the_bind_that_takes_an_answer(up: set[str], arrived_on: str, goes_by: str | None) -> None:
    """The one that the message came on, else the line's first that is up."""
    benches = {"mci": Bench(), "irancell": Bench()}
    for name, bench in benches.items():
        bench.sender.settings = bench.sender.settings._replace(bind=name)
        if name in up:
            bench.sender.bound(bench.line)
    senders = {name: bench.sender for name, bench in benches.items()}
    router = Router(senders, {"100034122": ("mci", "irancell")})
    sender = router.answer_by("100034122", arrived_on)
    assert (sender.settings.bind if sender else None) == goes_by
    assert set(router.lines_of()) == ({"mci"} if "mci" in up else up)


def test_answers_always_have_room_beside_messages_in_bulk() -> None:
    """In memory and in the window: a campaign fills neither to the brim."""
    bench = Bench(window=20)
    bench.sender.bound(bench.line)
    bench.sender.hand_over([row(number, priority=5) for number in range(bench.sender.room)])
    bench.sender.pump()
    assert len(bench.line.submitted) == 18, "one place in ten is kept for answers"
    bench.sender.hand_over([row(number, priority=5) for number in range(1000, 1018)])
    assert bench.sender.room == 0
    router = Router({"mci": bench.sender}, {"100034122": ["mci"]})
    assert router.answer_by("100034122", "mci") is bench.sender
    bench.sender.hand_over([row(5001), row(5002)])
    bench.sender.pump()
    assert bench.ids()[18:] == [5001, 5002]


def test_no_more_is_claimed_than_the_rate_lets_go_soon() -> None:
    """What is claimed goes out though its campaign is paused."""
    bench = Bench(window=200, rate=100)
    bench.sender.bound(bench.line)
    assert bench.sender.room == 200
    assert bench.sender.is_half_empty
    bench.sender.hand_over([row(number, priority=5) for number in range(150)])
    assert not bench.sender.is_half_empty
