"""Pages stop while a batch is in work, and are drawn all the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from gateway.precedence import LONGEST_WAIT, SLICE, Precedence

PATIENCE = 20.0


def test_a_page_waits_until_the_batch_has_been_answered() -> None:
    """Its first word is written when the people's messages are out."""
    said: list[str] = []
    precedence = Precedence(longest=PATIENCE)
    precedence.begin()

    def draw() -> None:
        precedence.give_way()
        said.append("page")

    page = threading.Thread(target=draw)
    page.start()
    said.append("batch")
    precedence.end()
    page.join(PATIENCE)
    assert said == ["batch", "page"]


def test_a_page_is_drawn_although_batches_never_end() -> None:
    """Whoever looks at the desk in the busiest hour sees it, a little later."""
    precedence = Precedence()
    precedence.begin()
    assert precedence.drawn(["a", "b", "c"]) == "abc"


def test_a_page_looks_again_after_each_slice() -> None:
    """A long list does not hold up the batch that begins in the middle of it."""
    looks: list[float] = []
    now = 0.0

    class Watched(Precedence):
        """Notes when it is asked."""

        def give_way(self) -> None:
            looks.append(now)

    def rows() -> Iterator[str]:
        nonlocal now
        for _ in range(100):
            now += SLICE / 10
            yield "."

    assert len(Watched(lambda: now).drawn(rows())) == 100
    assert 8 <= len(looks) <= 11
    assert LONGEST_WAIT > SLICE
