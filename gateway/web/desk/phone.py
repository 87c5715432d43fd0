"""A phone on the page: texts a line's real rules and dials a real menu, and nothing is kept.

Each try runs in a transaction that is taken back. So that a session can go on from screen to
screen, the page carries what was dialled and typed, sealed, and all of it is run again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from core.access.audit import Entry
from core.access.logins import LockedOut
from core.access.permissions import Permission
from core.dialogues.types import Event, Input
from core.identifiers import masked_mobile
from core.secrecy import Unsealable
from core.text import ascii_digits
from core.trying import (
    Dialled,
    Effect,
    Guess,
    Text,
    Tried,
    dial,
    guarded,
    looked_at,
    work_on_text,
    wrong_codes,
)
from gateway.web.desk import boxes
from gateway.web.desk.forms import Form
from gateway.web.desk.inbox import MOST_LETTERS
from gateway.web.desk.refusals import Refusal
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()
MOST_TYPED: Final = 40
"""Answers of one session; each is run again for every further one."""
_JOINTS: Final = re.compile("[*#]+")


class Session(NamedTuple):
    """A session on the phone, as the page carries it."""

    mobile: str
    line: str
    dialled: str
    typed: tuple[str, ...] = ()
    wrong: int = 0
    """Wrong secret codes that were typed so far."""


class Handset(NamedTuple):
    """What the phone shows of a session."""

    steps: Sequence[tuple[str, str]]
    """What was typed, codes masked, and the screen that it brought."""
    ends: bool
    dialled: Dialled
    sealed: str


@routes.route("GET", "/phone", Permission.USSD_TRY)
async def show(visit: Visit) -> bytes:
    """A phone that nothing was done with yet; the codes' page fills in what to try."""
    asked = visit.query
    form = visit.blank(line=asked.raw("line"), text=asked.raw("text"), code=asked.raw("code"))
    return _page(visit, form)


@routes.route("POST", "/phone/text", Permission.USSD_TRY)
async def text_line(visit: Visit) -> bytes:
    """Text a line; the key Enter in the field for codes comes here too."""
    form, means = visit.form, visit.means
    if form.raw("code") and not form.raw("text"):
        return await _dial(visit)
    mobile = form.mobile("mobile", required=True)
    line = form.choice("line", boxes.texted_lines(visit, Permission.USSD_TRY))
    said = form.text("text", most=MOST_LETTERS, required=True)
    if not form.is_right or mobile is None:
        return _page(visit, form, code=422)
    mind, now = means.minds[line], means.now_ms()
    text = Text(mind, line, mobile, said, now, means.ids.one())
    guess = Guess(visit.user.name, visit.address, now)
    try:
        tried, effects = await means.transact(
            "desk.phone.text", guarded, guess, work_on_text, means.keys, means.ids, text
        )
    except LockedOut as locked:
        form.wrong("text", "inbox.locked", minutes=-(-locked.seconds // 60))
        return _page(visit, form, code=422)
    about = {tried.subscriber_id} if tried.subscriber_id is not None else set()
    whole, names = await _look(visit, mind.utility, line, mobile, about)
    return _page(visit, form, tried=tried, effects=effects, whole=whole, names=names)


@routes.route("POST", "/phone/dial", Permission.USSD_TRY)
async def dial_code(visit: Visit) -> bytes:
    """Dial a code, or a whole path."""
    return await _dial(visit)


@routes.route("POST", "/phone/type", Permission.USSD_TRY)
async def type_answer(visit: Visit) -> bytes:
    """Type an answer to the screen."""
    form = visit.form
    try:
        told = json.loads(visit.means.keys.unseal(_purpose(visit), form.raw("session")))
    except Unsealable:
        raise Refusal(400) from None
    session = Session(**{**told, "typed": tuple(told["typed"])})
    if session.line not in visit.means.talkers:
        raise Refusal(409, "phone.no_such_code")
    answer = ascii_digits(form.text("answer", most=100, required=True))
    if len(session.typed) >= MOST_TYPED:
        form.wrong("answer", "phone.long")
    form.fill(mobile=f"0{session.mobile[2:]}", code=session.dialled)
    if not form.is_right:
        return await _go_on(visit, form, session, code=422)
    form.fill(answer="")
    return await _go_on(visit, form, session._replace(typed=(*session.typed, answer)))


async def _dial(visit: Visit) -> bytes:
    form = visit.form
    mobile = form.mobile("mobile", required=True)
    code = ascii_digits(form.text("code", most=100, required=True)).replace(" ", "")
    line = _line(visit, code)
    if code and line is None:
        form.wrong("code", "phone.no_such_code")
    if not form.is_right or mobile is None or line is None:
        return _page(visit, form, code=422)
    return await _go_on(visit, form, Session(mobile, line, f"*{'*'.join(_pieces(code))}#"))


async def _go_on(visit: Visit, form: Form, session: Session, code: int = 200) -> bytes:
    """Run the whole session, and show where it has come to."""
    means, now = visit.means, visit.means.now_ms()
    talker = means.talkers[session.line]
    visit.check(Permission.USSD_TRY, talker.utility)
    guess = Guess(visit.user.name, visit.address, now, session.wrong)
    try:
        dialled, effects = await means.transact(
            "desk.phone.dial", guarded, guess, dial, means.keys, means.ids, means.talkers,
            _inputs(visit, session, now),
        )  # fmt: skip
    except LockedOut as locked:
        form.wrong("code", "inbox.locked", minutes=-(-locked.seconds // 60))
        return _page(visit, form, code=422)
    whole, names = await _look(
        visit, talker.utility, session.line, session.mobile, dialled.subscriber_ids
    )
    session = session._replace(wrong=wrong_codes(effects))
    last = dialled.shown[-1] if dialled.shown else None
    sealed = means.keys.seal(_purpose(visit), json.dumps(session._asdict()))
    handset = Handset(
        list(zip(dialled.masked, (each.text for each in dialled.shown), strict=False)),
        last is None or last.ends,
        dialled,
        sealed,
    )
    return _page(visit, form, code=code, handset=handset, effects=effects, whole=whole, names=names)


def _inputs(visit: Visit, session: Session, now: int) -> list[Input]:
    """What the handset would send, one after the other."""
    steps = [(Event.BEGIN, session.dialled), *((Event.ANSWER, each) for each in session.typed)]
    made = []
    for event, text in steps:
        key = visit.means.ids.one()
        about = (session.line, session.mobile, event, text, "", key)
        made.append(Input(key, now, "desk", 0, _purpose(visit), *about))
    return made


def _line(visit: Visit, dialled: str) -> str | None:
    """The line, of those that the visitor may try, whose code what is dialled begins with."""
    pieces = _pieces(dialled)
    lines = boxes.lines_of(visit, Permission.USSD_TRY)
    found = [
        line
        for line in visit.means.talkers
        if (lines is None or line in lines) and pieces[: len(_pieces(line))] == _pieces(line)
    ]
    return max(found, key=lambda line: len(_pieces(line)), default=None)


def _pieces(dialled: str) -> list[str]:
    return [piece for piece in _JOINTS.split(dialled) if piece]


def _purpose(visit: Visit) -> str:
    return f"phone of {visit.user.id}"


async def _look(
    visit: Visit, utility: str, line: str, mobile: str, about: Any
) -> tuple[bool, list[str]]:
    """Whether what came of it may be seen whole, and the names that it may have in it."""
    people = await visit.read("phone.people", looked_at, utility, mobile, about)
    whose = ",".join(map(str, sorted(people)))
    details = {"mobile": masked_mobile(mobile), "subscribers": whose}
    entry = Entry(Permission.USSD_TRY.value, f"line:{line}", utility, details)
    return await visit.sees_personal(entry), list(people.values())


def _page(  # noqa: PLR0913 - what the page shows
    visit: Visit,
    form: Form,
    *,
    code: int = 200,
    tried: Tried | None = None,
    handset: Handset | None = None,
    effects: Sequence[Effect] = (),
    whole: bool = False,
    names: Sequence[str] = (),
) -> bytes:
    lines = boxes.lines_of(visit, Permission.USSD_TRY)
    codes = [line for line in visit.means.talkers if lines is None or line in lines]
    return visit.page(
        "phone.html",
        code=code,
        form=form,
        tried=tried,
        handset=handset,
        effects=effects,
        whole=whole,
        names=names,
        lines=boxes.texted_lines(visit, Permission.USSD_TRY),
        codes=codes,
    )
