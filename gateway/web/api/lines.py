"""Whose messages are which: by the line that they came in on or go out from."""

from __future__ import annotations

from typing import Any

from gateway.web.api.call import Call


def lines_of(call: Call[Any, Any]) -> frozenset[str] | None:
    """The lines, dialled ones too, whose messages the call may be about; None: every one."""
    scope = call.scope
    if scope is None:
        return None
    means = call.means
    texted = {line for line, mind in means.minds.items() if mind.utility in scope}
    return frozenset(
        texted | {line for line, talker in means.talkers.items() if talker.utility in scope}
    )


def utility_of(call: Call[Any, Any], line: str) -> str | None:
    """The utility that a line serves; None for a line that the settings no longer have."""
    mind = call.means.minds.get(line) or call.means.talkers.get(line)
    return mind.utility if mind else None
