"""Readings to decide: found, examined with the bill that they make, accepted and rejected."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from core.access.audit import Entry
from core.access.permissions import Permission
from core.bill_sheets import Sheet, find_sheet
from core.explain import CannotExplain, Explained, Question, explain
from core.readings import ReadingState
from core.readings.control import (
    LONGEST_NOTE,
    MAY_BECOME,
    Decided,
    Decision,
    DecisionError,
    Foretold,
    bill_made_of,
    decide,
    foretell,
)
from core.readings.findings import Examined, examine
from core.readings.lists import (
    Known,
    Listed,
    ReadingFilter,
    find_reading,
    list_readings,
    readings_of,
)
from core.terms import Terms
from core.text import ascii_digits
from gateway.minds import speaker
from gateway.web.desk.forms import Form
from gateway.web.desk.lists import LIMIT, paged
from gateway.web.desk.periods import period
from gateway.web.desk.refusals import NotFound, Refusal
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()
ALL: Final = "all"
STATES: Final = (*(each.value for each in ReadingState), ALL)
VERDICTS: Final = {"accept": ReadingState.ACCEPTED, "reject": ReadingState.REJECTED}
MOST_DAYS: Final = 31
"""A list of what needs no decision goes back so many days, unless it is asked for otherwise."""
_DAY_MS: Final = 86_400_000
_BEFORE: Final = 12
"""So many earlier readings are shown beside one."""


class Study(NamedTuple):
    """All that helps to decide on a reading."""

    known: Known
    examined: Examined
    history: list[Listed]
    """The subscription's readings around it, the newest first."""
    sheet: Sheet | None
    """The bill that was made of it."""
    explained: Explained | None
    """Where none was: the one that it would make …"""
    why_not: str
    """… or the key of why it makes none."""
    telling: dict[str, Foretold]
    """What who sent it would be told, by verdict."""


@routes.route("GET", "/readings", Permission.READING_SEE)
async def show(visit: Visit) -> bytes:
    """Those that wait for a decision, unless others are asked for."""
    form = visit.query
    wanted, recent = asked_of(visit, form, Permission.READING_SEE)
    rows = await visit.read("readings", list_readings, wanted) if form.is_right else []
    return visit.page(
        "readings.html",
        code=200 if form.is_right else 422,
        form=form,
        states=STATES,
        utilities=visit.utilities(Permission.READING_SEE),
        recent=recent,
        most_days=MOST_DAYS,
        kept=[(name, each) for name in form.names for each in form.raws(name) if name != "before"],
        **paged(rows),
    )


@routes.route("GET", "/readings/<int:reading_id>", Permission.READING_SEE)
async def show_one(visit: Visit, reading_id: int) -> bytes:
    """A reading with what the checks found, its bill, and those before it."""
    return await _page(visit, reading_id, visit.blank())


@routes.route("POST", "/readings/<int:reading_id>/decide", Permission.READING_DECIDE)
async def decide_one(visit: Visit, reading_id: int) -> bytes:
    """Accept or reject it, or show what its sender would be told."""
    known = await _known(visit, reading_id, Permission.READING_DECIDE)
    form, means = visit.form, visit.means
    act = form.choice("act", [*VERDICTS, "preview"])
    note = form.text("note", most=LONGEST_NOTE)
    if not form.is_right or act == "preview":
        return await _page(visit, reading_id, form, 200 if form.is_right else 422)
    decision = Decision(reading_id, VERDICTS[act], visit.user.name, note, means.now_ms())
    details = {"verdict": VERDICTS[act].value, "was": known.reading.state}
    entry = Entry("reading.decide", f"reading:{reading_id}", known.reading.utility, details)
    try:
        decided: Decided = await visit.change(
            entry, decide, means.ids, decision, speaker(means.minds)
        )
    except DecisionError as error:
        raise Refusal(409, f"readings.cannot_be.{error.why}") from None
    if decided.told:
        means.on_queued()
    told = "told" if decided.told else "silent"
    return visit.go(f"/readings/{reading_id}", f"readings.done.{act}_{told}")


def asked_of(visit: Visit, form: Form, permission: Permission) -> tuple[ReadingFilter, bool]:
    """What a list is asked for, and whether only the last days are looked through."""
    state = form.choice("state", STATES, required=False) or ReadingState.DOUBTFUL.value
    number = ascii_digits(form.text("subscription", most=40)) or None
    since, until = period(form)
    may = visit.utilities(permission)
    chosen = form.choice("utility", may, required=False)
    recent = since is None and number is None and state != ReadingState.DOUBTFUL.value
    if recent:
        since = (until or visit.means.now_ms()) - MOST_DAYS * _DAY_MS
    form.fill(state=state)
    wanted = ReadingFilter(
        utilities=frozenset({chosen} if chosen else may),
        number=number,
        state=None if state == ALL else ReadingState(state),
        since=since,
        until=until,
        before=form.row_id("before"),
        limit=LIMIT,
    )
    return wanted, recent


# --- one ------------------------------------------------------------------------------------


async def _known(visit: Visit, reading_id: int, permission: Permission) -> Known:
    known: Known | None = await visit.read("reading", find_reading, reading_id)
    if known is None:
        raise NotFound
    visit.check(permission, known.reading.utility)
    return known


def _terms(visit: Visit, utility: str) -> Terms:
    mind = visit.means.mind_of(utility)
    return mind.terms if mind else Terms()


async def _page(visit: Visit, reading_id: int, form: Form, code: int = 200) -> bytes:
    known = await _known(visit, reading_id, Permission.READING_SEE)
    utility = known.reading.utility
    whole = await visit.sees_personal(Entry("reading.see", f"reading:{reading_id}", utility))
    verdicts = [
        verdict
        for verdict, state in VERDICTS.items()
        if state in MAY_BECOME[ReadingState(known.reading.state)]
    ]
    note = form.text("note", most=LONGEST_NOTE)
    decisions = {
        verdict: Decision(
            reading_id, VERDICTS[verdict], visit.user.name, note, visit.means.now_ms()
        )
        for verdict in verdicts
    }
    study: Study = await visit.read(
        "reading.study",
        _study,
        known,
        _terms(visit, utility),
        decisions,
        speaker(visit.means.minds),
    )
    return visit.page(
        "reading.html",
        code=code,
        form=form,
        row=known.reading,
        known=known,
        study=study,
        verdicts=verdicts,
        whole=whole,
        utility=utility,
        most_note=LONGEST_NOTE,
    )


def _study(
    connection: Any, known: Known, terms: Terms, decisions: dict[str, Decision], words: Any
) -> Study:
    reading = known.reading
    made = bill_made_of(connection, known.subscriber_id, reading.reading, reading.read_at)
    sheet = find_sheet(connection, made) if made is not None else None
    history = readings_of(connection, known.subscriber_id, _BEFORE)
    explained, why_not = None, ""
    if sheet is None:
        question = Question(
            reading.utility, reading.number, str(reading.reading), reading.read_at, terms
        )
        try:
            explained = explain(connection, question)
        except CannotExplain as error:
            newer = any(each.read_at > reading.read_at for each in history)
            why_not = f"readings.no_bill.{'newer' if newer else error.why}"
    return Study(
        known,
        examine(connection, known, terms.policy),
        history,
        sheet,
        explained,
        why_not,
        {each: foretell(connection, made, words) for each, made in decisions.items()},
    )
