"""All that is wrong with a profile's menu, for ``peyk ussd check`` and ``peyk profile check``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from core.operations import Operation
from gateway.configuration import ConfigError
from gateway.findings import Findings
from gateway.profiles import load_profile
from gateway.ussd.menu import Menus
from gateway.ussd.menu_file import load_menu
from gateway.ussd.pages import PageSize


class Checked(NamedTuple):
    """A menu, as far as it can be read, and its mistakes."""

    menus: Menus | None
    mistakes: list[ConfigError]


def check_menu(
    directory: Path, operations: Mapping[str, Operation], size: PageSize | None = None
) -> Checked:
    """All mistakes in the menu of the profile in ``directory``; none for one that is right.

    The profile itself must be in order: a menu is checked against its fields and replies.
    """
    findings = Findings(keeps_all=True)
    menus = None
    try:
        profile = load_profile(directory, operations)
        menus = load_menu(directory, profile, operations, findings, size)
    except ConfigError as error:
        findings.add(error)
    return Checked(menus, findings.found)
