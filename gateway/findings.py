"""The mistakes found in a profile: the first one ends its loading, or all of them are noted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gateway.configuration import ConfigError
from gateway.listing import MOST_UNITS


@dataclass(frozen=True, slots=True)
class Findings:
    """Collects mistakes; unless ``keeps_all``, the first is raised as it is found."""

    keeps_all: bool = False
    most_units: int = MOST_UNITS
    """How long a reply may be, in UTF-16 units."""
    found: list[ConfigError] = field(default_factory=list)

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note a ``ConfigError`` from inside, and go on behind; or let it pass."""
        try:
            yield
        except ConfigError as error:
            if not self.keeps_all:
                raise
            self.add(error)

    def add(self, error: ConfigError) -> None:
        """Note a mistake, once. Raises it when the first one is what is asked for."""
        if not self.keeps_all:
            raise error
        if str(error) not in map(str, self.found):
            self.found.append(error)
