"""Messages as panels take them: whole, where the outbox has a row for each part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

from core.outbox import Outgoing
from gateway.panels.port import Text


class Mail(NamedTuple):
    """The rows of one message that go out as one text, in the order of their parts."""

    rows: tuple[Outgoing, ...]

    @property
    def attempts(self) -> int:
        """How many times it, or a part of it, was tried before."""
        return max(row.attempts for row in self.rows)

    @property
    def line(self) -> str:
        """The line it goes out from."""
        return self.rows[0].line

    @property
    def is_answer(self) -> bool:
        """Whether it answers somebody, and so goes before all else."""
        return self.rows[0].priority == 0

    def local_id(self, attempt: int) -> int:
        """What it is called at its n-th attempt (from 0): 62 bits that nobody else has.

        The same after a restart and on another daemon, so that either can ask the panel
        whether it took the message.
        """
        first = self.rows[0]
        name = f"{first.message_id}/{first.part}/{len(self.rows)}/{attempt}"
        return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") >> 2

    def as_text(self) -> Text:
        """What the panel is asked to send."""
        first = self.rows[0]
        words = "".join(row.text for row in self.rows)
        return Text(self.local_id(self.attempts), first.line, first.mobile, words)


def as_mail(rows: Iterable[Outgoing]) -> list[Mail]:
    """Rows that were claimed together, as messages.

    Of a message whose other parts are elsewhere (accepted by a bind, not due, with another
    daemon) what is here goes as a text of its own: neighbouring parts together.
    """
    found: list[list[Outgoing]] = []
    of_message: dict[int, list[Outgoing]] = {}
    for row in rows:
        of_message.setdefault(row.message_id, []).append(row)
    for parts in of_message.values():
        for row in sorted(parts, key=lambda each: each.part):
            if found and _follows(row, found[-1][-1]):
                found[-1].append(row)
            else:
                found.append([row])
    return [Mail(tuple(parts)) for parts in found]


def _follows(row: Outgoing, before: Outgoing) -> bool:
    return (row.message_id, row.part) == (before.message_id, before.part + 1)


def rows_of(mails: Sequence[Mail]) -> list[Outgoing]:
    """All rows of messages."""
    return [row for mail in mails for row in mail.rows]
