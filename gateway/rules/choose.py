"""Choosing among the readings of a message with what the utility knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.calls import Misreading, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.calls import Call, Candidate, Understanding


def choose(understanding: Understanding, valid: Callable[[Call], bool]) -> Candidate | Problem:
    """The one reading to act on, or why there is none.

    ``valid`` says whether the data knows a call's subscriber and accepts its code; it is
    asked only when there are several readings. One reading is taken as it is, and so is the
    first as published when none is valid: the operation refuses it in its own words. Then
    all that may be a code stays hidden, since it is not known which field was.
    """
    candidates = understanding.candidates
    if len(candidates) == 1:
        return candidates[0]
    accepted = [candidate for candidate in candidates if valid(candidate.call)]
    if len(accepted) == 1:
        return accepted[0]
    if candidates and not accepted:
        return candidates[0]._replace(masked=understanding.masked)
    return understanding.problem or Problem(Misreading.UNKNOWN_CODE, {})
