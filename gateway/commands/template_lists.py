"""``peyk template list``, ``show``, ``versions``, ``preview``: what there is, how it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import click

from core.calls import Fact
from core.templates import store
from core.templates.sampling import Sample, sample
from core.templates.store import Saved, Template, TemplateFilter
from core.templates.types import Version
from core.text import harmless
from gateway.commands.context import CommandError, now_ms
from gateway.commands.output import (
    for_people,
    for_programs,
    one_line,
    print_json,
    print_table,
)
from gateway.commands.template_desk import TemplateDesk, as_record, made_of, told
from gateway.templates.form import form_of
from gateway.templates.wordings import Wordings
from gateway.templates.written import write_form


def show_list(desk: TemplateDesk, wanted: TemplateFilter, *, as_json: bool) -> None:
    """List templates."""
    with desk.context.database() as database, told():
        found = database.read("cli.templates", store.list_templates, wanted)
    if as_json:
        print_json([_record(each) for each in found])
        return
    columns = ("utility", "name", "version", "in use", "made of", "line", "topic", "changed", "by")
    print_table(columns, map(_cells, found), texts=("made of",))
    if not found:
        click.echo(
            "no such templates; `peyk template load --all` brings those of profiles", err=True
        )


def _cells(template: Template) -> Sequence[object]:
    version = template.newest
    return (
        version.utility,
        version.name,
        version.version,
        "yes" if template.enabled else "no",
        made_of(version.definition),
        version.definition.line,
        version.definition.topic,
        for_people(template.changed_at),
        template.changed_by,
    )


def _record(template: Template) -> dict[str, Any]:
    return {
        **as_record(template),
        "created_at": for_programs(template.created_at),
        "changed_at": for_programs(template.changed_at),
        "changed_by": template.changed_by,
    }


def show_one(
    desk: TemplateDesk, utility: str | None, name: str, number: int | None, *, as_json: bool
) -> None:
    """Show a template, or one of its versions, as it is written."""
    with desk.context.database() as database:
        template = desk.named(database, utility, name)
        if number is not None:
            key = (template.id, number)
            found = database.read("cli.template_version", store.load_versions, [key])
            if key not in found:
                raise CommandError(f"{name!r} has no version {number}; `peyk template versions`")
            template = template._replace(newest=found[key])
    version = template.newest
    if as_json:
        print_json(_record(template))
        return
    state = "in use" if template.enabled else "not in use"
    head = f"Template {version.name!r} of {version.utility}, version {version.version}; {state}."
    click.echo(write_form(head, form_of(version.definition, version.body)), nl=False)


def show_versions(desk: TemplateDesk, utility: str | None, name: str, *, as_json: bool) -> None:
    """List a template's versions, the newest first."""
    with desk.context.database() as database, told():
        template = desk.named(database, utility, name)
        found = database.read("cli.template_versions", store.versions, template.id)
    if as_json:
        print_json([_version(each) for each in found])
        return
    rows = (
        (
            each.version.version,
            for_people(each.saved_at),
            each.saved_by,
            one_line(each.version.body),
        )
        for each in found
    )
    print_table(("version", "saved", "by", "body"), rows, texts=("body",))


def _version(saved: Saved) -> dict[str, Any]:
    version = saved.version
    return {
        "version": version.version,
        "saved_at": for_programs(saved.saved_at),
        "saved_by": saved.saved_by,
        **form_of(version.definition, version.body),
    }


class Preview(NamedTuple):
    """A template's messages about some rows."""

    sample: Sample
    parts: Sequence[Sequence[str]]
    is_example: bool
    """There are no rows: it is filled with example figures."""


def preview(desk: TemplateDesk, version: Version, most: int) -> Preview:
    """The messages about at most ``most`` real rows, or about an example when there are none."""
    found = Sample((), None)
    with told():
        desk.checker.check(version.utility, version.definition, version.body)
        if most:
            with desk.context.database() as database:
                found = database.read(
                    "cli.template_preview", sample, version, desk.sources, most, now_ms()
                )
        facts: list[Mapping[str, Fact]] = [row.facts for row in found.rows]
        facts = facts or [desk.checker.example(version.utility, version.definition)]
        return Preview(found, Wordings(desk.minds).words(version, facts), not found.rows)


def show_preview(
    desk: TemplateDesk, utility: str | None, name: str, most: int, *, as_json: bool
) -> None:
    """Print messages as they would go out, how many parts they take, and what that costs."""
    with desk.context.database() as database:
        version = desk.named(database, utility, name).newest
    found = preview(desk, version, most)
    mind = desk.minds[version.definition.line]
    texts = ["".join(parts) for parts in found.parts]
    counts = [mind.count(text) if text else 0 for text in texts]
    if as_json:
        price = desk.price_of(version.definition.line)
        print_json(
            {
                "messages": [
                    {"text": text or None, "parts": count, "cost": round(count * price)}
                    for text, count in zip(texts, counts, strict=True)
                ],
                "is_example": found.is_example,
                "rows": found.sample.of,
                "price": price,
            }
        )
        return
    for text, count in zip(texts, counts, strict=True):
        cost = desk.cost(version.definition.line, count)
        click.echo(f"--- {cost}" if text else "--- this row cannot be written: a fact is missing")
        click.echo(harmless(text))
    if found.is_example:
        click.echo("--- there is no row yet: these are example figures")
    elif found.sample.of is not None:
        each = sum(counts) / len(counts)
        every = desk.cost(version.definition.line, round(each * found.sample.of))
        click.echo(f"--- the report has {found.sample.of:,} rows: about {every}")
