"""What the gateway lends the batch for a USSD line: its menu, walked by the session machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from core.calls import Outcome, Refusal
from core.dialogues.types import Ending, Event, Heard, Said
from core.operations import REGISTRY
from core.terms import Terms
from core.text import without_digits
from gateway.listing import ROWS
from gateway.minds import LineMind, mind_of
from gateway.profiles import Profile
from gateway.settings import Settings
from gateway.settings.binds import Bind
from gateway.settings.lines import Line
from gateway.smpp.text import Alphabet
from gateway.ussd.menu import TEXTED, Menus
from gateway.ussd.menu_file import load_menu
from gateway.ussd.pages import Content, PageSize, pages_of
from gateway.ussd.session import step
from gateway.ussd.state import Session, StateError, restored, stored
from gateway.ussd.walk import Rules

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class MenuTalker:
    """Implements ``core.dialogues.types.Talker`` for one line."""

    profile: Profile
    rules: Rules
    sms_line: str
    timeout_ms: int
    resume_ms: int

    @property
    def utility(self) -> str:
        """The key of its data."""
        return self.profile.utility

    @property
    def terms(self) -> Terms:
        """What the utility has set for itself."""
        return self.profile.terms

    @property
    def menus(self) -> Menus:
        """What is walked."""
        return self.rules.menus

    @property
    def nodes(self) -> frozenset[str]:
        """Where a session of our own may begin."""
        return frozenset(self.menus.own.nodes)

    def last_words(self, why: Ending) -> str:
        """A last screen for an input that no session hears of; it fits the line's page."""
        menu = self.menus.own
        match why:
            case Ending.OVER:
                return self._page(menu.words.over)
            case Ending.LIMIT:
                return self._page(menu.words.busy)
            case Ending.FAILED:
                return self._page(menu.replies.render(Outcome("", Refusal.FAILED.value, {})))

    def step(self, state: str, heard: Heard) -> Said:
        """Go on with a session; ``state`` is empty for a new one. Never raises.

        A session that cannot be gone on with is told so, and is over: the mistake is logged.
        """
        try:
            return self.stepped(state, heard)
        except Exception:
            log.exception("ussd.step_failed", line=self.rules.line, heard=heard.event.value)
            words = self.last_words(Ending.FAILED)
            return Said(state, screen=words, ends=True, masked=without_digits(heard.text))

    def stepped(self, state: str, heard: Heard) -> Said:
        """What ``step`` does; it would raise what a menu that was checked cannot bring about."""
        session = _session(state)
        if session is None and state:
            # Of another version, or nothing of ours: it begins again.
            heard = _anew(heard)
        after, effects = step(self.rules, session, heard)
        return Said(
            stored(after),
            effects.call,
            after.shown,
            effects.screen,
            effects.ends,
            effects.notes,
            effects.masked,
        )

    def _page(self, text: str) -> str:
        """As much of a last word as one page shows."""
        return pages_of(Content(text), "…", self.rules.size)[0]


def talkers_of(settings: Settings, profiles: Mapping[str, Profile]) -> dict[str, MenuTalker]:
    """The talker of every line that is dialled, by its number; the profiles by name.

    Raises ``ConfigError`` for a menu that is missing or has a mistake.
    """
    return {
        line.number: _talker(settings, line, profiles[line.profile])
        for line in settings.lines
        if line.is_dialled
    }


def _talker(settings: Settings, line: Line, profile: Profile) -> MenuTalker:
    binds = {bind.name: bind for bind in settings.binds}
    wide = any(_is_wide(binds[name]) for name in line.binds if name in binds)
    size = PageSize(line.page, line.page_gsm7, wide, line.rtl_marks)
    folder = settings.profile_folder(line.profile)
    menus = load_menu(folder, profile, REGISTRY, size=size)
    texted = next((each for each in settings.lines if each.number == line.sms_line), None)
    texts = texts_of(mind_of(texted, profile, binds), menus) if texted else None
    return MenuTalker(
        profile,
        Rules(menus, size, line.number, texts),
        line.sms_line,
        int(line.timeout * 1000),
        int(line.resume * 1000),
    )


def _is_wide(bind: Bind) -> bool:
    is_said = bind.always_ucs2 or bool(bind.ussd and bind.ussd.always_ucs2)
    return is_said or bind.alphabet is Alphabet.UCS2


def texts_of(mind: LineMind, menus: Menus) -> Callable[[Outcome, str], tuple[str, ...]]:
    """What writes an outcome as a text: the reply that it has when it was asked for by text.

    A list is in the menu's words, which do not ask for another text.
    """

    def written(outcome: Outcome, language: str) -> tuple[str, ...]:
        if ROWS in outcome.facts:
            told = outcome._replace(facts={**outcome.facts, TEXTED: True})
            return tuple(mind.parts(menus.spoken(language).replies.render(told, mind.fits)))
        if not mind.profile.replies.speak_of(outcome.operation, outcome.kind):
            return ()
        return tuple(mind.reply(outcome, language))

    return written


def _session(state: str) -> Session | None:
    try:
        return restored(state) if state else None
    except StateError:
        return None


def _anew(heard: Heard) -> Heard:
    if heard.event in {Event.ANSWER, Event.OUTCOME}:
        return heard._replace(event=Event.OPEN, text="", outcome=None)
    return heard
