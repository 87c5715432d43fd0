"""Which sender takes a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.outbound.sends import Sends


class Router:
    """Which bind takes a line's messages: the first of the line's own that is up."""

    def __init__(self, senders: Mapping[str, Sends], lines: Mapping[str, Sequence[str]]) -> None:
        self.senders = dict(senders)
        self._lines = lines

    def add(self, sender: Sends) -> None:
        """One that could only be made after the router."""
        self.senders[sender.settings.bind] = sender

    def answer_by(self, line: str, arrived_on: str) -> Sends | None:
        """Who takes an answer now: the bind that the message came on, else another one."""
        own = self.senders.get(arrived_on)
        serves = arrived_on in self._lines.get(line, ())
        if own is not None and serves and own.has_room_for_answers:
            return own
        return self._first(line, with_room=True)

    def lines_of(self) -> dict[str, list[str]]:
        """For each bind that is up: the lines whose queued messages it should claim."""
        found: dict[str, list[str]] = {}
        for line in self._lines:
            sender = self._first(line, with_room=False)
            if sender is not None:
                found.setdefault(sender.settings.bind, []).append(line)
        return found

    def _first(self, line: str, *, with_room: bool) -> Sends | None:
        for bind in self._lines.get(line, ()):
            sender = self.senders.get(bind)
            if sender is None or not sender.is_up:
                continue
            if sender.has_room_for_answers or not with_room:
                return sender
        return None
