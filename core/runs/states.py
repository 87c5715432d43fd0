"""The states of a run and what moves it from one to another. Pure; docs/states.md draws it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class RunState(StrEnum):
    """Where a run stands."""

    ASKED = "asked"
    """Somebody wants it who may not begin it alone: it waits for a second person."""
    PRODUCING = "producing"
    """Rows are being made into messages, and those go out."""
    SENDING = "sending"
    """Every message is made; some have yet to go out."""
    PAUSING = "pausing"
    """No more is made; what is queued is being held back."""
    PAUSED = "paused"
    RESUMING = "resuming"
    """What was held back is being queued again."""
    CANCELLING = "cancelling"
    """No more is made; what has not gone out is being cancelled."""
    DONE = "done"
    """Nothing of it waits to go out."""
    CANCELLED = "cancelled"
    FAILED = "failed"
    """Its rows could not be made into messages; what was made goes out."""


class Move(StrEnum):
    """What moves a run."""

    APPROVE = "approve"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    PRODUCED = "produced"
    """The last row was read."""
    SETTLED = "settled"
    """All that was queued is held, queued again, or cancelled."""
    SENT = "sent"
    """Nothing waits any more."""
    FAIL = "fail"


_S, _M = RunState, Move
_MOVES: Final = {
    (_S.ASKED, _M.APPROVE): _S.PRODUCING,
    (_S.ASKED, _M.CANCEL): _S.CANCELLED,
    (_S.PRODUCING, _M.PRODUCED): _S.SENDING,
    (_S.PRODUCING, _M.PAUSE): _S.PAUSING,
    (_S.PRODUCING, _M.CANCEL): _S.CANCELLING,
    (_S.PRODUCING, _M.FAIL): _S.FAILED,
    (_S.SENDING, _M.SENT): _S.DONE,
    (_S.SENDING, _M.PAUSE): _S.PAUSING,
    (_S.SENDING, _M.CANCEL): _S.CANCELLING,
    (_S.PAUSING, _M.SETTLED): _S.PAUSED,
    (_S.PAUSING, _M.RESUME): _S.RESUMING,
    (_S.PAUSING, _M.CANCEL): _S.CANCELLING,
    (_S.PAUSED, _M.RESUME): _S.RESUMING,
    (_S.PAUSED, _M.CANCEL): _S.CANCELLING,
    (_S.RESUMING, _M.SETTLED): _S.PRODUCING,
    (_S.RESUMING, _M.PAUSE): _S.PAUSING,
    (_S.RESUMING, _M.CANCEL): _S.CANCELLING,
    (_S.CANCELLING, _M.SETTLED): _S.CANCELLED,
    (_S.FAILED, _M.RESUME): _S.RESUMING,
    (_S.FAILED, _M.CANCEL): _S.CANCELLING,
}
ENDED: Final = frozenset({_S.DONE, _S.CANCELLED, _S.FAILED})
CHORES: Final = frozenset({_S.PAUSING, _S.RESUMING, _S.CANCELLING})
"""States in which queued messages are gone through, and which end by themselves."""


def after(state: RunState, move: Move, *, is_produced: bool) -> RunState | None:
    """The state that ``move`` leads to; None when it cannot be done in ``state``.

    A run of which every message was made goes on with sending, the others with producing.
    """
    found = _MOVES.get((state, move))
    return RunState.SENDING if found is RunState.PRODUCING and is_produced else found


_REFUSALS: Final = {
    _S.ASKED: "it waits for somebody who approves it",
    _S.DONE: "all of its messages have left already",
    _S.CANCELLED: "it is cancelled",
    _S.CANCELLING: "it is cancelled",
    _S.FAILED: "it has failed: resume it when the cause is mended, or cancel it",
    _S.PAUSED: "it is paused already",
    _S.PAUSING: "it is paused already",
}


def refusal(state: RunState, move: Move) -> str:
    """Why a person's move is not possible now, in words."""
    if move is Move.APPROVE:
        return "it waits for nobody's approval"
    otherwise = f"it is {state.value} already" if move is Move.RESUME else f"it is {state.value}"
    return _REFUSALS.get(state, otherwise)
