"""Where the reports of each utility are: in its profiles, besides those that are shipped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from core.reporting.sources import Sources
from gateway.profiles import Profile
from gateway.settings import Settings

REPORTS = "reports"
"""The folder of a profile that its reports are in."""


def sources_of(settings: Settings, profiles: Iterable[Profile]) -> Sources:
    """The reports of each utility: those in the folders of its profiles besides the shipped."""
    folders: defaultdict[str, list[Path]] = defaultdict(list)
    for profile in profiles:
        folders[profile.utility].append(settings.profile_folder(profile.name) / REPORTS)
    return Sources(folders)
