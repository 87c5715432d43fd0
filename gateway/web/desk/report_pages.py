"""Reports: which there are, one of them as a table, and as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from itertools import islice
from typing import Any, Final, NamedTuple

from core.access.audit import Entry
from core.access.permissions import Permission
from core.database import Reader
from core.jalali import jalali
from core.reporting.reading import asked as question_of
from core.reporting.reading import given
from core.reporting.types import ParameterError, Source, SourceError
from core.reports.catalogue import REPORTS, masked
from core.reports.sourced import columns_of, rows_of
from core.reports.types import Column, Report, Values, Wanted
from core.reports.writing import Format, write
from core.state_groups import Group
from gateway.web.desk import workshop
from gateway.web.desk.parameters import parameters_of
from gateway.web.desk.patience import Impatient, Patience
from gateway.web.desk.periods import period, this_month
from gateway.web.desk.refusals import Forbidden, NotFound, Refusal
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()
ROWS: Final = 100
MOST_PAGES: Final = 100
"""A page begins where the ones before it end, so that far ones take long: a file has them all."""
MOST_ROWS: Final = 100_000
"""Of a file: it is made in memory."""
_KINDS: Final = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.JSON: "application/json",
}


class Asked(NamedTuple):
    """A report that can be made."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Callable[[Reader], Iterable[Values]]
    """To be called, and gone through, on a thread of its own."""
    utility: str
    """Whose it is; "" for several."""


@routes.route("GET", "/reports", Permission.REPORT_SEE)
async def show(visit: Visit) -> bytes:
    """Which there are."""
    known = workshop.sources(visit.means)
    own: list[tuple[str, Source]] = []
    wrong: list[tuple[str, str]] = []
    for utility in visit.utilities(Permission.REPORT_SEE):
        for name in sorted(known.files(utility)):
            try:
                own.append((utility, await visit.means.in_thread(known.named, utility, name)))
            except SourceError as error:
                wrong.append((name, error.problem))
    return visit.page("reports.html", reports=list(REPORTS.values()), own=own, wrong=wrong)


@routes.route("GET", "/reports/<name>", Permission.REPORT_SEE)
async def show_one(visit: Visit, name: str) -> bytes:
    """A report on messages as a table."""
    return await _table(visit, _of_messages(visit, name, Permission.REPORT_SEE))


@routes.route("GET", "/reports/<name>/file", Permission.REPORT_DOWNLOAD)
async def download(visit: Visit, name: str) -> bytes:
    """The same as a file."""
    return await _file(visit, _of_messages(visit, name, Permission.REPORT_DOWNLOAD))


@routes.route("GET", "/reports/own/<utility>/<name>", Permission.REPORT_SEE)
async def show_own(visit: Visit, utility: str, name: str) -> bytes:
    """One of the utility's own reports as a table; first what it asks for."""
    source = await _source(visit, utility, name, Permission.REPORT_SEE)
    asked = _of_source(visit, utility, source) if visit.query.raw("do") else None
    return await _table(visit, asked, source)


@routes.route("GET", "/reports/own/<utility>/<name>/file", Permission.REPORT_DOWNLOAD)
async def download_own(visit: Visit, utility: str, name: str) -> bytes:
    """The same as a file."""
    source = await _source(visit, utility, name, Permission.REPORT_DOWNLOAD)
    return await _file(visit, _of_source(visit, utility, source))


# --- what is asked ------------------------------------------------------------------------


def _of_messages(visit: Visit, name: str, permission: Permission) -> Asked | None:
    """A report on messages; None: something is wrong with what was typed."""
    if name not in REPORTS:
        raise NotFound
    chosen, form, means = REPORTS[name], visit.query, visit.means
    utilities = visit.utilities(permission)
    utility = form.choice("utility", utilities, required=False)
    line = form.choice("line", list(means.minds), required=False)
    mobile = form.mobile("mobile")
    subscription = form.text("subscription", most=40) or None
    run = form.row_id("run")
    if not any((form.raw("since"), form.raw("until"), mobile, subscription, run)):
        first, last = this_month(means.now_ms())
        form.fill(since=jalali(first), until=jalali(last))
    since, until = period(form)
    state = form.choice("state", [each.value for each in Group], required=False)
    lines = _lines(visit, permission, utility)
    if line:
        lines = frozenset({line}) if lines is None else lines & {line}
    wanted = Wanted(
        since=since,
        until=until,
        mobile=mobile,
        subscription=subscription,
        lines=lines,
        template=form.text("template", most=60) or None,
        run=run,
        state=state or None,
    )
    if not form.is_right:
        return None
    columns = chosen.columns
    return Asked(
        name, _titled(visit, chosen), columns, lambda reader: chosen.rows(reader, wanted), utility
    )


def _titled(visit: Visit, report: Report) -> str:
    return report.persian if visit.language == "fa" else report.title


def _lines(visit: Visit, permission: Permission, utility: str) -> frozenset[str] | None:
    """The lines whose messages are reported; None: every one, also those that are no more."""
    scope = visit.scope(permission)
    if utility:
        return frozenset(workshop.lines_of(visit.means, utility))
    if scope is None:
        return None
    return frozenset(line for key in scope for line in workshop.lines_of(visit.means, key))


async def _source(visit: Visit, utility: str, name: str, permission: Permission) -> Source:
    visit.check(permission, utility)
    known = workshop.sources(visit.means)
    if utility not in visit.means.utilities or name not in known.files(utility):
        raise NotFound
    try:
        found: Source = await visit.means.in_thread(known.named, utility, name)
    except SourceError as error:
        raise Refusal(409, "reports.broken", problem=error.problem) from None
    return found


def _of_source(visit: Visit, utility: str, source: Source) -> Asked | None:
    form, means = visit.query, visit.means
    parameters = parameters_of(form, source)
    if not form.is_right:
        return None
    try:
        question = question_of(source, utility, given(source, parameters), means.now_ms())
    except ParameterError as error:
        raise Refusal(409, "reports.broken", problem=str(error)) from None
    return Asked(
        source.name,
        source.title,
        columns_of(source),
        lambda reader: rows_of(reader, question),
        utility,
    )


# --- answers ------------------------------------------------------------------------------


async def _table(visit: Visit, asked: Asked | None, source: Source | None = None) -> bytes:
    form = visit.query
    number = form.number("page", least=1, most=MOST_PAGES) or 1
    rows: list[Values] = []
    if asked is not None and form.is_right:
        rows = await _rows(visit, asked, number)
    if source is not None and not form.raw("do"):
        for each in source.parameters:
            form.fill(**{f"p_{each.name}": each.default})
    return visit.page(
        "report.html",
        code=200 if form.is_right else 422,
        form=form,
        asked=asked,
        source=source,
        rows=rows[:ROWS],
        page=number,
        more=len(rows) > ROWS and number < MOST_PAGES,
        here_file=f"{visit.request.path.decode()}/file",
        kept=[(name, each) for name in form.names for each in form.raws(name) if name != "page"],
        formats=list(_KINDS),
        utilities=visit.utilities(Permission.REPORT_SEE),
        lines=list(visit.means.minds),
        groups=[each.value for each in Group],
    )


async def _rows(visit: Visit, asked: Asked, number: int) -> list[Values]:
    """The rows of a page and one more, masked for everybody."""

    def read(reader: Reader) -> list[Values]:
        every = masked(asked.columns, asked.rows(reader))
        return list(islice(every, (number - 1) * ROWS, number * ROWS + 1))

    found: list[Values] = await _made(visit, read)
    return found


async def _file(visit: Visit, asked: Asked | None) -> bytes:
    form = visit.query
    kind = form.choice("format", [each.value for each in Format])
    if asked is None or not form.is_right:
        raise Refusal(400)
    full = form.tick("full")
    if full and not _may_see(visit, asked):
        raise Forbidden
    details = {name: form.raw(name) for name in form.names if name not in {"mobile", "full"}}
    act = "report.full" if full else "report.download"
    await visit.audit(Entry(act, f"report:{asked.name}", asked.utility, details))

    def make(reader: Reader) -> tuple[int, bytes]:
        rows = asked.rows(reader) if full else masked(asked.columns, asked.rows(reader))
        stream = BytesIO()
        some = islice(rows, MOST_ROWS + 1)
        count = write(Format(kind), stream, asked.title, asked.columns, some)
        return count, stream.getvalue()

    count, content = await _made(visit, make)
    if count > MOST_ROWS:
        raise Refusal(409, "reports.too_many", most=MOST_ROWS)
    return visit.download(f"{asked.name}.{kind}", _KINDS[Format(kind)], content)


async def _made(visit: Visit, make: Callable[[Reader], Any]) -> Any:
    """What ``make`` reads, unless it takes too long or its reader has gone."""
    patience = Patience(visit.means.database)
    visit.request.notifyFinish().addErrback(patience.give_up)
    try:
        return await visit.means.in_report(make, patience)
    except SourceError as error:
        raise Refusal(409, "reports.broken", problem=error.problem) from None
    except Impatient:
        raise Refusal(409, "reports.long") from None


def _may_see(visit: Visit, asked: Asked) -> bool:
    """Whether the visitor may see whose they are, of every row that may be in it."""
    sees = visit.scope(Permission.PERSONAL_SEE)
    if sees is None:
        return True
    rows = visit.scope(Permission.REPORT_DOWNLOAD)
    whose = frozenset({asked.utility}) if asked.utility else rows
    return whose is not None and whose <= sees
