"""A panel that is spoken to as its description says. Implements ``port.Panel``."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode

from core.outbox import Result
from gateway.messages import DeliveryState
from gateway.panels.description import Description, Request, Send, StateMeaning, Texts
from gateway.panels.exchange import Answer, Asked
from gateway.panels.matching import MISSING, NATIONAL_DIGITS, matched
from gateway.panels.port import (
    Limits,
    Meaning,
    PanelSms,
    Refused,
    Standing,
    Taken,
    Text,
    Unclear,
)
from gateway.panels.reading import at, identity, instant, items, number, text

_STATES: Final = {
    StateMeaning.PENDING: DeliveryState.ENROUTE,
    StateMeaning.DELIVERED: DeliveryState.DELIVERED,
    StateMeaning.FAILED: DeliveryState.UNDELIVERABLE,
    StateMeaning.EXPIRED: DeliveryState.EXPIRED,
    StateMeaning.REJECTED: DeliveryState.REJECTED,
    # Which of its codes mean that is told apart by ``blocked_codes``.
    StateMeaning.BLOCKED: DeliveryState.REJECTED,
    StateMeaning.UNKNOWN: DeliveryState.UNKNOWN,
}
_RESULTS: Final = {
    Meaning.RETRY: Result.TEMPORARY,
    Meaning.THROTTLED: Result.THROTTLED,
    # No fault of the message, so no attempt of it is used up.
    Meaning.NO_CREDIT: Result.UNSENT,
    Meaning.ACCOUNT: Result.UNSENT,
    Meaning.BLOCKED: Result.BLOCKED,
    Meaning.REFUSED: Result.PERMANENT,
}
_CLIENT_ERROR: Final = range(300, 500)
_REQUEST_TIMEOUT: Final = 408
_SERVER_ERROR: Final = 500
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")

Ask = Callable[[Asked], Awaitable[Answer]]
"""Raises ``NotSent`` or ``Unclear``."""


class Account(NamedTuple):
    """Who we are to the panel."""

    url: str
    key: str
    user: str
    password: str
    senders: Mapping[str, str]
    """By line of ours: the panel's number for it; a line that is not here has its own."""
    lines: Sequence[str]
    """The lines that this panel serves."""


class DescribedPanel:
    """One account."""

    def __init__(self, description: Description, account: Account, ask: Ask) -> None:
        self._description = description
        self._account = account
        self._ask = ask
        states, local = description.states, description.local
        self.limits = Limits(
            description.send.size, states.size if states else 0, local.size if local else 0
        )
        self.one_line = description.send.one_line
        self.knows_local_ids = local is not None
        self.tells_credit = description.credit is not None
        self.hands_over = description.texts is not None
        self.hands_over_again = description.again is not None

    # --- sending ----------------------------------------------------------------------

    async def send(self, texts: Sequence[Text]) -> Sequence[Taken]:
        """Send these in one request."""
        send = self._description.send
        lines = [self._account.senders.get(each.line, each.line) for each in texts]
        mobiles = [self._mobile(each.mobile) for each in texts]
        said = await self._request(
            send,
            {
                "mobiles": mobiles,
                "texts": [each.text for each in texts],
                "lines": lines,
                "line": lines[0],
                "line_number": int(lines[0]) if lines[0].isdecimal() else lines[0],
                "local_ids": [each.local_id for each in texts],
            },
        )
        found = items(said, send.items)
        return [self._taken(item) for item in matched(send, texts, mobiles, found)]

    def _mobile(self, mobile: str) -> str:
        if self._description.mobiles == "national" and mobile.startswith("98"):
            national = mobile.removeprefix("98")
            return f"0{national}" if len(national) == NATIONAL_DIGITS else mobile
        return mobile

    def _taken(self, item: Any) -> Taken:
        if item is MISSING:
            return Taken(Result.UNCERTAIN, "", 0)
        send = self._description.send
        found = identity(at(item, send.id))
        code = text(at(item, send.code)) if send.code else ""
        if found and (not send.code or not send.good or code in send.good):
            return Taken(Result.ACCEPTED, found, 0)
        meaning = send.meaning(code) if code not in ("", *send.good) else send.without_id
        return Taken(_RESULTS[meaning], "", number(code), meaning)

    # --- asking -----------------------------------------------------------------------

    async def states(self, ids: Sequence[str]) -> Sequence[Standing]:
        """What became of messages."""
        states = self._description.states
        assert states is not None  # noqa: S101 - limits say so
        said = await self._request(states, {"ids": ",".join(ids), "id": ids[0]})
        wanted = set(ids)
        standings = (
            self._standing(identity(at(item, states.id)), item)
            for item in items(said, states.items)
        )
        return [one for one in standings if one.id in wanted]

    def _standing(self, key: str, item: Any) -> Standing:
        states = self._description.states
        assert states is not None  # noqa: S101 - who asks has looked
        when = instant(at(item, states.at)) if states.at else None
        return self.standing(key, text(at(item, states.code)), when)

    def standing(self, key: str, code: str, when: int | None = None) -> Standing:
        """What a code says of a message that the panel took."""
        return Standing(key, self._state(code), code, when)

    async def known(self, local_ids: Sequence[int]) -> Mapping[int, Standing]:
        """Which of these the panel took."""
        local = self._description.local
        assert local is not None  # noqa: S101 - limits say so
        joined = ",".join(map(str, local_ids))
        said = await self._request(local, {"local_ids": joined})
        wanted = {str(each): each for each in local_ids}
        found: dict[int, Standing] = {}
        for item in items(said, local.items):
            about = text(at(item, local.local_id)) if local.local_id else joined
            written = text(at(item, local.id))
            key = "" if written in local.none else identity(written)
            if key and about in wanted:
                code = text(at(item, local.code)) if local.code else ""
                state = self._state(code)
                if state is not DeliveryState.UNKNOWN:
                    found[wanted[about]] = Standing(key, state, code, None)
        return found if local.code else await self._with_states(found)

    async def _with_states(self, found: Mapping[int, Standing]) -> Mapping[int, Standing]:
        """With what became of each, where the panel was only asked whether it took them."""
        ids, most = [one.id for one in found.values()], self.limits.states
        said: dict[str, Standing] = {}
        for start in range(0, len(ids) if most else 0, most):
            said |= {one.id: one for one in await self.states(ids[start : start + most])}
        known = {key: one for key, one in said.items() if one.state is not DeliveryState.UNKNOWN}
        return {local_id: known.get(one.id, one) for local_id, one in found.items()}

    def _state(self, code: str) -> DeliveryState:
        states = self._description.states
        return _STATES[states.meaning(code)] if states and code else DeliveryState.ENROUTE

    async def texts(self, *, again: bool = False) -> Sequence[PanelSms]:
        """Texts that came, of every line of ours."""
        texts = self._description.texts
        request: Request | None = self._description.again if again else texts
        assert texts is not None  # noqa: S101 - hands_over says so
        assert request is not None  # noqa: S101 - hands_over_again says so
        served = [self._account.senders.get(line, line) for line in self._account.lines]
        found: list[PanelSms] = []
        for line in served if texts.by_line else served[:1]:
            said = await self._request(request, {"line": line})
            found += (self._sms(texts, item) for item in items(said, texts.items))
        return found

    def _sms(self, texts: Texts, item: Any) -> PanelSms:
        return PanelSms(
            tuple(text(at(item, name)) for name in texts.mark),
            text(at(item, texts.source)),
            self._line(text(at(item, texts.destination))),
            str(at(item, texts.text) or ""),
            instant(at(item, texts.at)) if texts.at else None,
        )

    def _line(self, number: str) -> str:
        """Our line that the panel has this number for."""
        return line_of(self._account.senders, number)

    async def credit(self) -> float:
        """What is left."""
        credit = self._description.credit
        assert credit is not None  # noqa: S101 - tells_credit says so
        said = await self._request(credit, {})
        value = at(said, credit.value)
        try:
            return float(value)
        except (TypeError, ValueError):
            raise Unclear("the answer says no credit") from None

    # --- one request ------------------------------------------------------------------

    async def _request(self, request: Request, values: Mapping[str, Any]) -> Any:
        """The JSON of a good answer. Raises ``Refused``, ``NotSent`` or ``Unclear``."""
        answer = await self._ask(self._asked(request, values))
        answers = self._description.answers
        status = text(at(answer.data, answers.status))
        if status == "":
            raise _unreadable(answer, answers.meaning(str(answer.http_status)))
        if status in answers.good:
            if answer.http_status >= _CLIENT_ERROR.start:
                raise Unclear(f"a good answer with HTTP {answer.http_status}")
            return answer.data
        meaning = answers.meaning(status)
        if meaning is Meaning.REFUSED and answer.http_status >= _SERVER_ERROR:
            raise Unclear(f"error {status} with HTTP {answer.http_status}")
        words = text(at(answer.data, answers.words)) if answers.words else ""
        raise Refused(meaning, status, words[:200])

    def _asked(self, request: Request, values: Mapping[str, Any]) -> Asked:
        account, auth = self._account, self._description.auth
        headers = {"Accept": "application/json"}
        if auth == "header":
            headers[self._description.header] = account.key
        path = _PLACEHOLDER.sub(
            lambda found: quote(str({**values, "key": account.key}[found[1]]), safe=","),
            request.path,
        )
        fields = {name: _filled(value, values) for name, value in request.fields.items()}
        write = request.write if isinstance(request, Send) else "query"
        query: dict[str, str] = {}
        body: bytes | None = None
        if write == "json":
            headers["Content-Type"] = "application/json"
            body = json.dumps(fields, ensure_ascii=False).encode()
        elif write == "form":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode({name: _flat(value) for name, value in fields.items()}).encode()
        else:
            query = {name: _flat(value) for name, value in fields.items()}
        basic = (account.user, account.password) if auth == "basic" else None
        return Asked(request.method, account.url + path, headers, basic, query, body)


def line_of(senders: Mapping[str, str], number: str) -> str:
    """The line of ours for which the panel has ``number``; else the number itself."""
    digits = number.removeprefix("+").removeprefix("00")
    for line, theirs in senders.items():
        if theirs in (number, digits, digits.removeprefix("98")):
            return line
    return number


def _filled(value: str | int | bool, values: Mapping[str, Any]) -> Any:  # noqa: FBT001
    found = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
    return values[found[1]] if found else value


def _flat(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _unreadable(answer: Answer, meaning: Meaning) -> Exception:
    """What an answer without a status of the panel's own means: its HTTP status alone tells."""
    status = answer.http_status
    if status in _CLIENT_ERROR and status != _REQUEST_TIMEOUT:
        # Not of one message, whatever it is: something between us and the panel.
        meaning = Meaning.ACCOUNT if meaning is Meaning.REFUSED else meaning
        return Refused(meaning, str(status), "HTTP")
    return Unclear(f"an answer that cannot be read, HTTP {status}")
