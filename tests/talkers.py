"""A menu small enough to see through, for tests that are not about menus."""

from __future__ import annotations

import json
from typing import Any

from core.calls import Argument, Call
from core.demo import FIRST_NUMBER, code_of
from core.dialogues.types import Ending, Event, Heard, Said
from core.terms import Terms

CODE, MOBILE = "*1522#", "989160000001"
NUMBER = str(FIRST_NUMBER)
SECRET = code_of(FIRST_NUMBER)
TIMEOUT_MS, RESUME_MS = 120_000, 300_000
MENU, OVER = "menu", "over"


class FakeTalker:
    """Implements ``Talker``: each key of its one menu is something that menus do."""

    utility = "kerman-water"
    terms = Terms()
    sms_line = "100034122"
    timeout_ms = TIMEOUT_MS
    resume_ms = RESUME_MS
    nodes = frozenset({"survey", "notice"})

    def __init__(self) -> None:
        self.heard: list[Heard] = []

    def last_words(self, why: Ending) -> str:
        """The reason itself."""
        return why.value

    def step(self, state: str, heard: Heard) -> Said:  # noqa: C901, PLR0911 - a table of keys
        """Go on."""
        self.heard.append(heard)
        told: dict[str, Any] = json.loads(state) if state else {"shown": [], "after": ""}
        shown = tuple(told["shown"])
        if heard.event is Event.OUTCOME:
            assert heard.outcome is not None
            return self._heard_of(told, heard)
        if heard.event is Event.BEGIN and heard.text == CODE:
            return Said(state or json.dumps(told), screen=f"cut {heard.cut}" if heard.cut else MENU)
        if heard.event is Event.OPEN:
            return Said(json.dumps(told), screen=heard.text, ends=heard.text == "notice")
        key = heard.text if heard.event is Event.ANSWER else heard.text.split("*")[-1].strip("#")
        match key.split("*"):
            case ["1"]:
                return self._call(told, "balance", {})
            case ["2", number, code]:
                said = {Argument.NUMBER: number, Argument.CODE: code}
                return self._call(told, "sign_in", said)._replace(masked=f"2*{number}*****")
            case ["3", reading]:
                said = {Argument.READING: reading, Argument.NUMBER: NUMBER}
                return self._call(told, "submit_reading", said)
            case ["circle"]:
                return self._call({**told, "after": "circle"}, "help", {})
            case ["two"]:
                return self._call({**told, "after": "balance"}, "help", {})
            case ["poison"]:
                return self._call(told, "no such operation", {})
            case ["text"]:
                return Said(json.dumps(told), screen="sent", ends=True, notes=(("a", "b"),))
            case ["bye"]:
                return Said(json.dumps(told), ends=True)
            case _:
                return Said(json.dumps(told), shown=shown, screen=MENU)

    @staticmethod
    def _call(told: dict[str, Any], operation: str, said: dict[Argument, str]) -> Said:
        return Said(json.dumps(told), Call(operation, said), tuple(told["shown"]))

    def _heard_of(self, told: dict[str, Any], heard: Heard) -> Said:
        assert heard.outcome is not None
        operation, kind, facts = heard.outcome
        if told["after"]:
            again = told["after"] if told["after"] != "circle" else "help"
            after = "circle" if told["after"] == "circle" else ""
            return self._call({**told, "after": after}, again, {})
        if operation == "sign_in" and kind == "done":
            told = {**told, "shown": [*told["shown"], facts["number"]]}
            return Said(json.dumps(told), screen="signed in")
        return Said(json.dumps(told), screen=f"{operation} {kind}", ends=operation == "balance")
