"""The profiles of the lines that are set, by the utility whose data they work on."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from core.access.permissions import EVERY_UTILITY
from core.database import Database
from core.operations import REGISTRY
from core.subscribers import utilities_with
from core.text import nearest_hint
from gateway.commands.context import CommandError, Context
from gateway.minds import minds_of, speaker
from gateway.profiles import Profile, load_profile


def profiles(context: Context) -> dict[str, Profile]:
    """Every profile of a line, by its utility; the first line's where two share one.

    Raises ``ConfigError``.
    """
    found: dict[str, Profile] = {}
    for name in dict.fromkeys(line.profile for line in context.settings.lines):
        profile = load_profile(context.settings.profile_folder(name), REGISTRY)
        found.setdefault(profile.utility, profile)
    return found


def profile_of(context: Context, utility: str | None) -> Profile:
    """The profile of a utility, or of the only one. Raises ``ConfigError``, ``CommandError``."""
    return chosen(profiles(context), utility)


def chosen(known: Mapping[str, Profile], utility: str | None) -> Profile:
    """The same of profiles that have been read: it takes a while. Raises ``CommandError``."""
    if utility is None:
        if len(known) == 1:
            return next(iter(known.values()))
        raise CommandError(
            f"say which with --utility: {', '.join(sorted(known)) or 'there is none'}"
        )
    check_served(utility, known)
    return known[utility]


def scope_of(context: Context, utility: str | None) -> str:
    """A utility that lines serve, or every one. Raises as ``profile_of``."""
    return profile_of(context, utility).utility if utility else EVERY_UTILITY


def profile_with(context: Context, database: Database, number: str, utility: str | None) -> Profile:
    """The profile of ``utility``, or of the only one that has a subscription of this number.

    Raises ``ConfigError``, ``CommandError``.
    """
    known = profiles(context)
    if utility is not None or len(known) < 2:  # noqa: PLR2004
        return profile_of(context, utility)

    found = database.read("cli.whose", utilities_with, list(known), number)
    if not found:
        raise CommandError(f"no utility has a subscription {number}")
    if len(found) > 1:
        several = ", ".join(found)
        raise CommandError(
            f"several utilities have a subscription {number}: say --utility of {several}"
        )
    return known[found[0]]


def check_served(utility: str, known: Collection[str]) -> None:
    """Raise ``CommandError`` for a utility that is none of those that lines serve."""
    if utility not in known:
        raise CommandError(f"no line serves {utility!r}; {nearest_hint(utility, known)}")


class Speakers:
    """Words for subscribers from the profiles of the lines, cut as each line needs them."""

    def __init__(self, context: Context) -> None:
        """Read the profiles of all lines. Raises ``ConfigError``."""
        settings = context.settings
        known = {
            name: load_profile(settings.profile_folder(name), REGISTRY)
            for name in {line.profile for line in settings.lines}
        }
        self.say = speaker(minds_of(settings, known))
        """An outcome in the words of a utility: see ``gateway.minds.speaker``."""
