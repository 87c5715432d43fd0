"""What waits to be sent through one panel: answers to people first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from core.outbox import Outgoing
from gateway.panels.mail import Mail, rows_of


class MailQueue:
    """Messages, and those that are to go in a request of their own before all else."""

    def __init__(self) -> None:
        self._answers: deque[Mail] = deque()
        self._others: deque[Mail] = deque()
        self._apart: deque[list[Mail]] = deque()

    @property
    def rows(self) -> list[Outgoing]:
        """All rows that wait."""
        apart = [mail for batch in self._apart for mail in batch]
        return rows_of([*apart, *self._answers, *self._others])

    @property
    def answers(self) -> int:
        """How many answers wait."""
        return len(self._answers)

    def put(self, mails: Sequence[Mail]) -> None:
        """Behind those that wait."""
        for mail in mails:
            (self._answers if mail.is_answer else self._others).append(mail)

    def put_back(self, mails: Sequence[Mail]) -> None:
        """To where they were taken from."""
        for mail in reversed(mails):
            (self._answers if mail.is_answer else self._others).appendleft(mail)

    def put_apart(self, mails: Sequence[Mail]) -> None:
        """To go together, and with no others."""
        self._apart.append(list(mails))

    def take_apart(self) -> list[Mail]:
        """The next of those that go together; none: an empty list."""
        return self._apart.popleft() if self._apart else []

    def take(self, most: int, rows: int, *, one_line: bool, answers_only: bool) -> list[Mail]:
        """The next for one request: at most so many messages, and about so many rows."""
        taken: list[Mail] = []
        for queue in (self._answers,) if answers_only else (self._answers, self._others):
            while queue and len(taken) < most and rows > 0:
                if taken and one_line and queue[0].line != taken[0].line:
                    break
                taken.append(queue.popleft())
                rows -= len(taken[-1].rows)
        return taken

    def take_all(self) -> list[Outgoing]:
        """All rows that wait, to be given back."""
        rows = self.rows
        for queue in (self._apart, self._answers, self._others):
            queue.clear()
        return rows

    def take_out(
        self, which: Callable[[Outgoing], bool], *, answers: bool = False
    ) -> list[Outgoing]:
        """The rows of messages of which a row is meant; those of answers only if that is said."""
        gone: list[Mail] = []
        for queue in (self._answers, self._others) if answers else (self._others,):
            out = [mail for mail in queue if any(map(which, mail.rows))]
            if out:
                keys = {mail.rows[0].id for mail in out}
                kept = [mail for mail in queue if mail.rows[0].id not in keys]
                queue.clear()
                queue.extend(kept)
                gone += out
        return rows_of(gone)
