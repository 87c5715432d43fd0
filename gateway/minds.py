"""A line's profile as the core wants it: readings of texts, and replies cut into parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from core.calls import Call, Candidate, Outcome, Problem, Understanding
from core.operations import REGISTRY
from core.terms import Terms
from gateway.configuration import ConfigError
from gateway.profiles import Profile, load_profile
from gateway.settings import Settings
from gateway.settings.binds import Bind
from gateway.settings.lines import Line
from gateway.smpp.settings import LongMessages
from gateway.smpp.text import Alphabet, fits, split

log = structlog.get_logger(__name__)

MOST_PARTS: Final = 2
"""A list has as many rows as this many parts of a message hold."""


@dataclass(frozen=True, slots=True)
class LineMind:
    """Implements ``core.batch.Mind`` for one line."""

    profile: Profile
    alphabet: Alphabet
    """The default alphabet of the line's binds; UCS-2 where they differ."""
    reference_bits: int
    """16 where any of the line's binds needs a part to be that much shorter."""
    whole: bool = False
    """Whether the SMSC cuts long messages itself: each of the line's binds sends them whole."""

    @property
    def utility(self) -> str:
        """The key of its data."""
        return self.profile.utility

    @property
    def terms(self) -> Terms:
        """What the utility has set for itself."""
        return self.profile.terms

    def understand(self, text: str) -> Understanding:
        """All readings of a text."""
        return self.profile.understand(text)

    def choose(
        self, understanding: Understanding, supported: Callable[[Call], bool]
    ) -> Candidate | Problem:
        """The one reading that the data supports."""
        return self.profile.choose(understanding, supported)

    def reply(self, outcome: Outcome, language: str = "") -> Sequence[str]:
        """The words for an outcome, cut into the parts of a message."""
        words = self.profile.render(outcome, language, self.fits)
        return self.parts(words)

    def parts(self, words: str) -> Sequence[str]:
        """A text cut into the parts of a message. Raises ``ValueError`` beyond 255."""
        if self.whole:
            return [words]
        return split(words, self.alphabet, reference_bits=self.reference_bits)

    def count(self, words: str) -> int:
        """How many parts a text takes on the air, whoever cuts it. Raises ``ValueError``."""
        return len(split(words, self.alphabet, reference_bits=self.reference_bits))

    def fits(self, words: str) -> bool:
        """Whether a text is as many parts at the most as a list may take."""
        return fits(words, MOST_PARTS, self.alphabet, reference_bits=self.reference_bits)


def load_profiles(file: Path, settings: Settings) -> dict[str, Profile]:
    """Every profile that a line uses, by name. Raises ``ConfigError``."""
    names = {line.profile for line in settings.lines}
    if not names:
        raise ConfigError(file, "lines", "there is no line to answer on", "add one under [[lines]]")
    return {name: load_profile(settings.profile_folder(name), REGISTRY) for name in sorted(names)}


def minds_of(settings: Settings, profiles: Mapping[str, Profile]) -> dict[str, LineMind]:
    """The mind of every line that is texted, by its number; the profiles by name."""
    binds = {bind.name: bind for bind in settings.binds}
    return {
        line.number: mind_of(line, profiles[line.profile], binds)
        for line in settings.lines
        if not line.is_dialled
    }


def speaker(minds: Mapping[str, LineMind]) -> Callable[..., tuple[str, Sequence[str]] | None]:
    """What gives an outcome in the words of a utility: ``core.readings.control.Words``."""

    def say(utility: str, line: str, outcome: Outcome) -> tuple[str, Sequence[str]] | None:
        """The line to send from, and the parts.

        From ``line`` where it is still the utility's, else from its first; None without any.
        """
        own = [number for number, mind in minds.items() if mind.utility == utility]
        if not own:
            return None
        number = line if line in own else own[0]
        mind = minds[number]
        known = mind.profile.replies.speak_of(outcome.operation, outcome.kind)
        return (number, mind.reply(outcome)) if known else None

    return say


def mind_of(line: Line, profile: Profile, binds: Mapping[str, Bind]) -> LineMind:
    """A line's profile, with replies cut so that they fit whichever of its binds takes them."""
    # A panel takes messages whole and cuts them itself.
    own = [binds[name] for name in line.binds if name in binds and binds[name].sends]
    alphabets = {Alphabet.UCS2 if bind.always_ucs2 else bind.alphabet for bind in own}
    ways = {bind.long_messages for bind in own}
    return LineMind(
        profile,
        alphabets.pop() if len(alphabets) == 1 else Alphabet.UCS2 if own else Alphabet.GSM7,
        8 if ways == {LongMessages.UDH8} else 16,
        whole=ways <= {LongMessages.PAYLOAD},
    )
