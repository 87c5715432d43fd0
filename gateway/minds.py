"""A line's profile as the core wants it: readings of texts, and replies cut into parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from core.calls import Call, Candidate, Outcome, Problem, Understanding
from core.terms import Terms
from gateway.profiles import Profile
from gateway.smpp.text import Alphabet, split

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
        words = self.profile.render(outcome, language, self._in_two_parts)
        return [words] if self.whole else self._parts(words)

    def _parts(self, words: str) -> Sequence[str]:
        return split(words, self.alphabet, reference_bits=self.reference_bits)

    def _in_two_parts(self, words: str) -> bool:
        return len(self._parts(words)) <= MOST_PARTS
