"""Every path of a menu, and a phone that walks them without network or database.

``paths_of`` says what to type to come to each node of a menu, so that the same walk can go
over the wire in every dialect. ``Phone`` is a handset on a ``Talker``; a ``Core`` answers its
calls as the real one would, with figures as long as real ones and whatever outcome it is
asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from core import tracking
from core.calls import DONE, Argument, Call, Fact, Outcome
from core.dialogues.types import Event, Heard, Said
from core.identifiers import make_bill_id, make_payment_id
from core.operations import REGISTRY
from gateway.listing import ROWS, example
from gateway.minds import LineMind
from gateway.profiles import load_profile
from gateway.replies import EXAMPLES
from gateway.smpp.text import Alphabet
from gateway.ussd.menu import NOT, REGISTERED, SIGN_IN, YES, Leaf, Menu, MenuNode
from gateway.ussd.menu_file import load_menu
from gateway.ussd.pages import PageSize
from gateway.ussd.talker import MenuTalker, texts_of
from gateway.ussd.walk import Rules

PROFILES: Final = Path(__file__).parents[1] / "config" / "profiles"
DIALLED: Final = tuple(sorted(each.parent.name for each in PROFILES.glob("*/menu.toml")))
"""The shipped profiles that have a menu."""
CODE: Final = "*1522#"
NOW: Final = 1_757_140_200_000
MOST_CALLS: Final = 8
_BILL_ID: Final = make_bill_id("12345678", "046", "1")
SAMPLES: Final[Mapping[Argument, str]] = {
    Argument.NUMBER: "10000001",
    Argument.CODE: "4321",
    Argument.READING: "1250",
    Argument.BILL_ID: _BILL_ID,
    Argument.PAYMENT_ID: make_payment_id(_BILL_ID, 1_250_000),
    Argument.TRACKING: tracking.make(1_234_567),
    Argument.YEAR: "1403",
    Argument.MOBILE: "09131234567",
    Argument.TEXT: "مامور کنتور را نخواند",
}


class Path_(NamedTuple):  # noqa: N801 - pathlib has the name
    """How to come to a node from the first screen."""

    node: str
    typed: tuple[str, ...]
    """The keys of the menus, then what the node asks for, then the key that confirms."""
    needs: tuple[Argument | None, ...]
    """For each of them the argument that it answers; None for a key."""

    def deep(self, code: str = CODE) -> str:
        """The keys of the menus, dialled at once."""
        keys = [each for each, need in zip(self.typed, self.needs, strict=True) if need is None]
        return "*".join([code.removesuffix("#"), *keys]) + "#"


@cache
def talker_of(name: str, page: int = 80, *, texts: bool = True, marks: bool = False) -> MenuTalker:
    """The talker of a shipped profile."""
    profile = load_profile(PROFILES / name, REGISTRY)
    size = PageSize(page, page * 16 // 7, marks=marks)
    menus = load_menu(PROFILES / name, profile, REGISTRY)
    mind = LineMind(profile, Alphabet.GSM7, 8)
    rules = Rules(menus, size, CODE, texts_of(mind, menus) if texts else None)
    return MenuTalker(profile, rules, "1000" if texts else "", 180_000, 300_000)


def sample(menu: Menu, argument: Argument) -> str:
    """Something that answers a question for ``argument``."""
    known = menu.fields.get(argument)
    given = SAMPLES.get(argument, "1")
    if known is None or known.shortest <= len(given) <= known.longest:
        return given
    return "1" * known.shortest


def paths_of(menu: Menu, *, registered: bool = False) -> list[Path_]:
    """A path to every node, for a stranger or for a mobile registered to one subscription."""
    found: list[Path_] = []
    new: list[tuple[str, tuple[str, ...]]] = [(menu.start, ())]
    seen = {menu.start}
    while new:
        name, keys = new.pop(0)
        node = menu.nodes[name]
        typed = [(key, None) for key in keys]
        if isinstance(node, Leaf):
            found.append(_path(name, [*typed, *_answers(menu, node, registered=registered)]))
            continue
        found.append(_path(name, typed))
        if isinstance(node, MenuNode):
            for item in node.items:
                hidden = item.condition == REGISTERED and item.when.startswith(NOT) is registered
                if item.to and item.to not in seen and not hidden:
                    seen.add(item.to)
                    new.append((item.to, (*keys, item.key)))
    return found


def _path(name: str, typed: Sequence[tuple[str, Argument | None]]) -> Path_:
    return Path_(name, tuple(each[0] for each in typed), tuple(each[1] for each in typed))


def _answers(menu: Menu, leaf: Leaf, *, registered: bool) -> Iterator[tuple[str, Argument | None]]:
    if leaf.about and not registered:
        yield sample(menu, leaf.by[0]), leaf.by[0]
        if leaf.proven:
            yield sample(menu, Argument.CODE), Argument.CODE
    for name in leaf.ask:
        argument = menu.questions[name].arguments[0]
        yield sample(menu, argument), argument


Answers = Callable[[Call], Outcome]


class Core:
    """Answers calls. What it books, it remembers."""

    def __init__(self, kinds: Mapping[str, str] | None = None, *, empty: bool = False) -> None:
        """``kinds``: the outcome that operations have, where it is not ``done``."""
        self.kinds = kinds or {}
        self._empty = empty
        self.calls: list[Call] = []

    def __call__(self, call: Call) -> Outcome:
        """Run it."""
        operation = REGISTRY[call.operation]
        assert operation.required <= call.arguments.keys(), call
        assert call.arguments.keys() <= operation.required | operation.optional, call
        self.calls.append(call)
        kind = self.kinds.get(call.operation, DONE)
        facts = {name: self._fact(call, name) for name in operation.outcomes.get(kind, ())}
        return Outcome(call.operation, kind, facts)

    def _fact(self, call: Call, name: str) -> Fact:
        if name == ROWS:
            return () if self._empty else example(REGISTRY[call.operation].rows, EXAMPLES)
        if name == Argument.NUMBER:
            return call.arguments.get(Argument.NUMBER, "10000001")
        value = EXAMPLES.get(name, "12345678")
        if self._empty:
            return 0 if isinstance(value, int) else ""
        if name.endswith(("_at", "_date")) and isinstance(value, str):
            return EXAMPLES["due"]
        return value

    def booked(self, *operations: str) -> list[Call]:
        """The calls of these operations."""
        return [call for call in self.calls if call.operation in operations]


@dataclass
class Phone:
    """A handset on a talker: it keeps the session as the row does, through JSON each time."""

    talker: MenuTalker
    core: Answers = field(default_factory=Core)
    own: tuple[str, ...] = ()
    state: str = ""
    screen: str = ""
    ended: bool = True
    texts: list[str] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    """What was stored of each input."""

    def dial(self, text: str = CODE, cut: str = "") -> str:
        """Dial; the screen."""
        self.ended = False
        return self._hear(Heard(Event.BEGIN, text, NOW, self.own, cut), "")

    def open(self, node: str) -> str:
        """The utility begins a session."""
        self.ended = False
        return self._hear(Heard(Event.OPEN, node, NOW, self.own), "")

    def type(self, *texts: str) -> str:
        """Type into one screen after the other; the last screen."""
        for text in texts:
            self._hear(Heard(Event.ANSWER, text, NOW, self.own), self.state)
        return self.screen

    def lose(self, event: Event = Event.ABORT) -> str:
        """The session ends without us; its state, with which it may be gone on."""
        said = self.talker.step(self.state, Heard(event, "", NOW, self.own))
        assert said.ends
        assert not said.screen
        self.ended = True
        return said.state

    def _hear(self, heard: Heard, state: str) -> str:
        # As the talker does it, but for catching what is raised.
        said = self.talker.stepped(state, heard)
        self.stored.append(said.masked)
        for _ in range(MOST_CALLS):
            self._note(said)
            if said.call is None:
                break
            outcome = self.core(said.call)
            said = self.talker.stepped(
                said.state, Heard(Event.OUTCOME, "", NOW, self.own, "", outcome)
            )
        assert said.call is None, "it calls for ever"
        self.state, self.screen, self.ended = said.state, said.screen, said.ends
        return said.screen

    def _note(self, said: Said) -> None:
        self.texts += ["".join(parts) for parts in said.notes]


def is_yes(menu: Menu, screen: str) -> bool:
    """Whether a screen asks to confirm."""
    return menu.option(YES, menu.words.yes) in screen


__all__ = ["SIGN_IN", "Core", "Path_", "Phone", "paths_of", "sample", "talker_of"]
