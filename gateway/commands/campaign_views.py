"""How campaigns, reports and rehearsals are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from core.database import Database
from core.planning import Planned
from core.reporting.known import check_known
from core.reporting.reading import check, sorts
from core.reporting.sources import read_source
from core.reporting.types import Source, SourceError
from core.runs.progress import Estimate, Progress
from core.runs.starting import Rehearsal, Start
from core.runs.states import RunState
from core.runs.store import Run
from core.services import Paused, ServicePaused
from core.state_groups import ENGLISH, STATES_OF, Group
from core.text import harmless
from gateway.commands.output import (
    console,
    for_people,
    for_programs,
    one_line,
    print_facts,
    print_json,
    print_table,
)
from gateway.commands.parameters import asks

_SORTS = (
    "the database sorts all rows for every page of it, which makes a long campaign slow; "
    "docs/campaigns.md says how it may be kept to the order of its key"
)
_INSTANTS = (
    "planned_for", "created_at", "changed_at", "produced_at", "ended_at", "lease_until",
)  # fmt: skip


def print_runs(found: Sequence[Run], *, as_json: bool) -> None:
    """A list of campaigns."""
    if as_json:
        print_json([_run_as_json(run) for run in found])
        return
    columns = ("id", "planned", "utility", "template", "report", "state", "rows", "messages")
    rows = [
        (
            run.id,
            for_people(run.planned_for),
            run.utility,
            f"{run.template} v{run.version}",
            run.source.report,
            run.state,
            _of(run.rows_read, run.rows_expected),
            f"{run.made:,}",
        )
        for run in found
    ]
    print_table(columns, rows, texts=("template", "report"))
    if not found:
        click.echo("no such campaigns", err=True)


def print_planned(found: Sequence[Planned], now: int, *, as_json: bool) -> None:
    """What schedules and outages plan."""
    if as_json:
        print_json(
            [
                {**each._asdict(), "at": for_programs(each.at), "overdue": each.is_overdue(now)}
                for each in found
            ]
        )
        return
    rows = [
        (
            for_people(each.at),
            each.utility,
            each.template,
            each.what,
            "overdue" if each.is_overdue(now) else "",
        )
        for each in found
    ]
    print_table(("when", "utility", "template", "about", ""), rows, texts=("template", "about"))
    if not found:
        click.echo("nothing is planned: no template that is enabled has a schedule", err=True)


def print_begun(run_id: int, *, as_json: bool) -> None:
    """The id of a campaign that has just begun."""
    if as_json:
        print_json({"id": str(run_id)})
    else:
        click.echo(f"campaign {run_id} has begun; `peyk campaign show {run_id}` tells more")


def print_progress(
    found: Progress, expected: Estimate | None, paused: Paused | None, *, as_json: bool
) -> None:
    """How far a campaign is; ``paused`` is the service that keeps it from going on."""
    if as_json:
        print_json(_progress_as_json(found, expected))
        return
    run = found.run
    given = " ".join(f"{name}={value}" for name, value in run.source.parameters.items())
    facts: list[tuple[str, object]] = [
        ("campaign", run.id),
        ("template", f"{run.template} v{run.version} of {run.utility}"),
        ("report", f"{run.source.report} {given}".strip()),
        ("state", run.state),
        ("planned for", for_people(run.planned_for)),
        ("asked by", run.asked_by),
        ("rows", _of(run.rows_read, run.rows_expected)),
        ("messages", f"{run.made:,} in {run.parts:,} part(s)"),
        ("want none", f"{run.suppressed:,}"),
        ("nobody to tell", f"{run.passed_over:,}"),
        ("not written", f"{run.unwritten:,}"),
    ]
    if run.subject:
        facts.append(("tells of", run.subject))
    if run.produced_at:
        facts.append(("all made", for_people(run.produced_at)))
    if run.ended_at:
        facts.append(("ended", for_people(run.ended_at)))
    if expected is not None:
        speed = f"{expected.rows_a_second:,.0f} rows/s, {expected.parts_a_second:,.0f} parts/s"
        facts += [("speed", speed), ("likely to end", for_people(expected.ends_at))]
    if run.error:
        facts.append(("error", run.error))
    if paused is not None and run.state is RunState.PRODUCING:
        facts.append(("makes nothing", str(ServicePaused(paused))))
    print_facts(facts)
    click.echo()
    print_table(
        ("parts", "what became of them", "in states"),
        [
            (f"{sum(states.values()):,}", ENGLISH[group], _states_in_words(states))
            for group, states in _by_group(found).items()
        ],
        texts=("in states",),
    )


def _by_group(found: Progress) -> dict[Group, dict[str, int]]:
    """Parts by state, the states by what they mean to people; only those that there are."""
    grouped = {
        group: {s.value: found.parts[s.value] for s in states if found.parts.get(s.value)}
        for group, states in STATES_OF.items()
    }
    return {group: states for group, states in grouped.items() if states}


def _states_in_words(states: Mapping[str, int]) -> str:
    """The states by name; with figures where there are several."""
    if len(states) == 1:
        return next(iter(states))
    return ", ".join(f"{state} {count:,}" for state, count in states.items())


def _progress_as_json(found: Progress, expected: Estimate | None) -> dict[str, Any]:
    groups = {group.value: sum(states.values()) for group, states in _by_group(found).items()}
    told = _run_as_json(found.run)
    told |= {"parts_by_group": groups, "parts_by_state": dict(found.parts)}
    if expected is not None:
        told["rows_a_second"] = round(expected.rows_a_second, 1)
        told["parts_a_second"] = round(expected.parts_a_second, 1)
        told["ends_at"] = for_programs(expected.ends_at)
    return told


def _run_as_json(run: Run) -> dict[str, Any]:
    told: dict[str, Any] = run._asdict()
    for name in _INSTANTS:
        told[name] = for_programs(told[name])
    source = run.source
    parameters = {name: str(value) for name, value in source.parameters.items()}
    told |= {"id": str(run.id), "report": source.report, "parameters": parameters}
    del told["source"], told["position"]
    return told


def _of(done: int, whole: int | None) -> str:
    return f"{done:,}" if whole is None else f"{done:,} of {whole:,}"


def print_rehearsal(start: Start, found: Rehearsal, *, as_json: bool) -> None:
    """What a campaign would come to."""
    made, sampled = found.made, found.sampled
    if as_json:
        told = {"report": start.source.report, "rows": found.rows, "sampled": sampled}
        print_json(told | made._asdict() | {"example": list(found.example)})
        return
    print_facts([
        ("template", f"{start.version.name} v{start.version.version}"),
        ("report", start.source.report),
        ("rows", f"{found.rows:,}"),
        ("of the first", f"{sampled:,}"),
        ("messages", f"{made.messages:,} in {made.parts:,} part(s)"),
        ("want none", f"{made.suppressed:,}"),
        ("nobody to tell", f"{made.passed_over:,}"),
        ("not written", f"{made.unwritten:,}"),
    ])  # fmt: skip
    if found.example:
        click.echo("\n" + harmless("".join(found.example)))


def print_reports(
    database: Database, files: Mapping[str, Mapping[str, Path]], *, as_json: bool
) -> None:
    """Reports by utility; one that cannot be used says why. Raises ``SourceError`` at the end."""
    rows, told, wrong = [], [], []
    for utility, own in files.items():
        for name, file in sorted(own.items()):
            try:
                source = read_source(file)
                database.read("cli.report", check, source)
                database.read("cli.report", check_known, source)
            except SourceError as error:
                wrong.append(error)
                told.append({"utility": utility, "name": name, "error": str(error)})
                continue
            if database.read("cli.report", sorts, source):
                click.echo(f"peyk: {source.file}: {_SORTS}", err=True)
            gives = one_line(" ".join(source.facts), 80)
            rows.append((utility, name, asks(source), gives, source.title))
            told.append(_report_as_json(utility, source))
    if as_json:
        print_json(told)
    else:
        columns = ("utility", "report", "asks for", "gives", "what it is")
        print_table(columns, rows, texts=("gives",))
    if wrong:
        for other in wrong[1:]:
            click.echo(f"peyk: {other}", err=True)
        raise wrong[0]


def _report_as_json(utility: str, source: Source) -> dict[str, Any]:
    return {
        "utility": utility,
        "name": source.name,
        "title": source.title,
        "about": source.about,
        "file": str(source.file),
        "parameters": [
            {
                "name": each.name,
                "type": each.type.value,
                "title": each.title,
                "default": None if each.default is None else str(each.default),
                "values": list(each.values),
            }
            for each in source.parameters
        ],
        "columns": {name: kind.value for name, kind in source.columns.items()},
    }


class Watching:
    """Two bars on a terminal: rows made, and parts that have left; nothing in a pipe."""

    def __init__(self) -> None:
        self._bars = Bars(
            TextColumn("{task.description:>8}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console(stderr=True),
            transient=True,
        )
        self._rows: TaskID = self._bars.add_task("made", total=None, figures="")
        self._parts: TaskID = self._bars.add_task("left", total=None, figures="")

    def __enter__(self) -> Self:
        if self._bars.console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def show(self, now: Progress, expected: Estimate) -> None:
        """Show where it stands."""
        run = now.run
        rows = f"{_of(run.rows_read, run.rows_expected)} rows, {expected.rows_a_second:,.0f}/s"
        left = run.parts - now.to_go
        ends = f", ends {for_people(expected.ends_at)}" if expected.ends_at else ""
        parts = f"{left:,} of {run.parts:,} parts, {expected.parts_a_second:,.0f}/s{ends}"
        self._bars.update(
            self._rows, completed=run.rows_read, total=run.rows_expected, figures=rows
        )
        self._bars.update(self._parts, completed=left, total=run.parts or None, figures=parts)
