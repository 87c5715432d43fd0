"""One request to send, and what follows from its answer for each of its messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import structlog

from core.outbox import Result
from gateway.messages import DeliveryState
from gateway.panels.doubts import known_of
from gateway.panels.mail import Mail
from gateway.panels.port import Meaning, NotSent, Panel, Refused, Taken, Unclear
from gateway.panels.reading import number

log = structlog.get_logger(__name__)

_FAILED: Final = frozenset(
    {DeliveryState.UNDELIVERABLE, DeliveryState.REJECTED, DeliveryState.EXPIRED}
)
_HOLDS: Final = (Meaning.NO_CREDIT, Meaning.ACCOUNT, Meaning.RETRY)


class Done(NamedTuple):
    """What became of a message."""

    mail: Mail
    result: Result
    id: str = ""
    """The panel's; empty unless it was accepted."""
    code: int = 0


@dataclass(slots=True)
class Outcome:
    """What became of a request."""

    done: list[Done] = field(default_factory=list)
    doubtful: list[Mail] = field(default_factory=list)
    """They may or may not have been taken."""
    halves: list[Sequence[Mail]] = field(default_factory=list)
    """The request was refused for one of these: each half is to be asked for apart."""
    trouble: tuple[Meaning, str] | None = None
    """Why nothing more can be asked of the panel for now."""
    is_throttled: bool = False

    def all(self, batch: Sequence[Mail], result: Result, code: int = 0) -> None:
        """The same of each."""
        self.done += (Done(mail, result, "", code) for mail in batch)


async def deliver(
    name: str, panel: Panel, batch: Sequence[Mail], may_send: Callable[[], bool]
) -> Outcome:
    """Send a batch in one request, but for what the panel took at an attempt before.

    ``may_send`` is asked once more right before it is sent.
    """
    outcome = Outcome()
    new = await _never_taken(panel, batch, outcome)
    if not new:
        return outcome
    if not may_send():
        outcome.all(new, Result.UNSENT)
        return outcome
    try:
        taken = await panel.send([mail.as_text() for mail in new])
    except NotSent as error:
        outcome.all(new, Result.UNSENT)
        outcome.trouble = Meaning.RETRY, str(error)
    except Unclear as error:
        log.warning("panel.uncertain", panel=name, messages=len(new), reason=str(error))
        outcome.doubtful += new
        outcome.trouble = Meaning.RETRY, str(error)
    except Refused as refusal:
        _refused(name, new, refusal, outcome)
    else:
        _took(name, new, taken, outcome)
    return outcome


async def _never_taken(panel: Panel, batch: Sequence[Mail], outcome: Outcome) -> list[Mail]:
    """Those of a batch that the panel has not taken at an attempt before this one."""
    before = [mail for mail in batch if mail.attempts]
    if not before or not panel.knows_local_ids:
        return list(batch)
    try:
        known = await known_of(panel, [(mail, mail.attempts - 1) for mail in before])
    except (NotSent, Unclear, Refused) as error:
        # Nothing of it was sent now; it is asked again before it is.
        outcome.all(batch, Result.UNSENT)
        meaning = error.meaning if isinstance(error, Refused) else Meaning.RETRY
        outcome.trouble = meaning, str(error)
        return []
    # What failed there is being tried again, and that is no doubling.
    there = {
        before[place].rows[0].id: Done(before[place], Result.ACCEPTED, standing.id)
        for place, standing in known.items()
        if standing.state not in _FAILED
    }
    outcome.done += there.values()
    return [mail for mail in batch if mail.rows[0].id not in there]


def _took(name: str, batch: Sequence[Mail], taken: Sequence[Taken], outcome: Outcome) -> None:
    """The panel answered for each message."""
    for mail, one in zip(batch, taken, strict=True):
        if one.result is Result.UNCERTAIN:
            outcome.doubtful.append(mail)
        else:
            outcome.done.append(Done(mail, one.result, one.id, one.code))
    if outcome.doubtful:
        log.warning("panel.answer_is_short", panel=name, missing=len(outcome.doubtful))
    codes = {one.meaning: one.code for one in taken if one.meaning}
    outcome.is_throttled = Meaning.THROTTLED in codes
    for meaning in (Meaning.NO_CREDIT, Meaning.ACCOUNT):
        if meaning in codes:
            outcome.trouble = meaning, f"error {codes[meaning]}"
            return


def _refused(name: str, batch: Sequence[Mail], refusal: Refused, outcome: Outcome) -> None:
    """The whole request was refused: for what it is, or for one of its messages."""
    code = number(refusal.code)
    match refusal.meaning:
        case Meaning.NO_CREDIT | Meaning.ACCOUNT:
            outcome.all(batch, Result.UNSENT)
        case Meaning.RETRY:
            outcome.all(batch, Result.TEMPORARY, code)
        case Meaning.THROTTLED:
            outcome.all(batch, Result.THROTTLED, code)
            outcome.is_throttled = True
        case _ if len(batch) > 1:
            middle = len(batch) // 2
            outcome.halves += [batch[:middle], batch[middle:]]
        case Meaning.BLOCKED:
            outcome.all(batch, Result.BLOCKED, code)
        case Meaning.REFUSED:
            log.warning("panel.refused", panel=name, reason=str(refusal))
            outcome.all(batch, Result.PERMANENT, code)
    if refusal.meaning in _HOLDS:
        outcome.trouble = refusal.meaning, str(refusal)
