"""``peyk template``: the messages that the utility sends of its own accord."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from core.events import EventKind
from core.identifiers import mobile as normal_mobile
from core.ids import ids_for_command
from core.new_messages import NobodyWantsIt, try_out
from core.outbox import Notice
from core.templates import store
from core.templates.loading import add_missing
from core.templates.store import TemplateFilter
from core.templates.types import Audience, Missed, Receivers, Uncertain
from core.text import nearest_hint
from gateway.commands.clicking import (
    Decorator,
    Group,
    as_json,
    by,
    misuse,
    options,
    pass_context,
)
from gateway.commands.context import CommandError, Context, now_ms
from gateway.commands.template_desk import TemplateDesk, told, warn_of_schedule
from gateway.commands.template_editing import Given
from gateway.commands.template_editing import add as add_template
from gateway.commands.template_editing import edit as edit_template
from gateway.commands.template_lists import (
    preview,
    show_list,
    show_one,
    show_preview,
    show_versions,
)
from gateway.commands.waking import wake
from gateway.templates.shipped import read_shipped, ready

MOST_ROWS = 100


@click.group(cls=Group, epilog="peyk template list --enabled")
def template() -> None:
    """Messages that the utility sends of its own accord: write, try, enable, load them."""


_UTILITY = click.option("--utility", metavar="NAME", help="Where lines serve several.")
_NAME = click.argument("name", metavar="NAME")


def _choice(kind: Any) -> click.Choice[str]:
    return click.Choice([each.value for each in kind])


_SETTINGS: Decorator = options(
    click.option("--line", metavar="NUMBER", help="Where it goes out from; else the first line."),
    click.option("--on", multiple=True, type=_choice(EventKind), help="Made of events; again."),
    click.option("--where", multiple=True, metavar="FACT=VALUE", help="Only such events; again."),
    click.option("--report", metavar="NAME", help="Made of a report's rows."),
    click.option(
        "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="Of the report; again."
    ),
    click.option("--outage-before", metavar="SPAN", help="Made so long before an outage: 1d."),
    click.option(
        "--outage-cancelled", is_flag=True, default=None, help="Made when one is cancelled."
    ),
    click.option("--produce", metavar="WHEN", help="When: 'every day 08:00'; '' is at once."),
    click.option("--missed", type=_choice(Missed), help="What of times that were missed."),
    click.option("--starts", metavar="DATE", help="First day, 1405/01/01 or ISO; '' for none."),
    click.option("--ends", metavar="DATE", help="Last day; '' for none."),
    click.option("--receivers", type=_choice(Receivers), help="Whose mobiles."),
    click.option("--audience", type=_choice(Audience), help="The kind of line it needs."),
    click.option("--topic", metavar="WORD", help="What people may opt out of: bills …"),
    click.option("--required/--not-required", default=None, help="Also to who opted out."),
    click.option("--language", metavar="fa|en", help="Of its words."),
    click.option("--attempts", type=int, metavar="COUNT", help="How often sending is tried."),
    click.option("--pauses", metavar="SPANS", help="Between attempts: '1m 5m 30m'."),
    click.option("--growth", type=int, metavar="PERCENT", help="Of the last pause, each time."),
    click.option("--retry-on", multiple=True, metavar="RECEIPT", help="undeliverable, expired."),
    click.option("--hours", metavar="HOURS", help="When it may go out: '08:00-21:00'; '' always."),
    click.option("--validity", metavar="SPAN", help="When it helps nobody any more: 2d."),
    click.option("--priority", type=int, metavar="1-9", help="1 goes first."),
    click.option("--uncertain", type=_choice(Uncertain), help="What if no response was seen."),
    click.option("--body", metavar="TEXT", help="Its words, in Jinja2."),
    click.option(
        "--body-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Its words, in a file of their own.",
    ),
    click.option(
        "--file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="All of it, as `peyk template show` prints it.",
    ),
)


def _given(by: str, *, file: Path | None, body_file: Path | None, **said: Any) -> Given:
    if body_file is not None:
        if said["body"] is not None:
            raise click.UsageError("give --body, or --body-file; not both")
        try:
            said["body"] = body_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"{body_file} cannot be read: {error}") from None
    return Given(said, file, by)


@template.command("list", epilog="peyk template list --event bill_issued --enabled")
@click.option("--utility", metavar="NAME", help="Only this utility's.")
@click.option("--enabled/--disabled", default=None, help="Only those that are in use, or not.")
@click.option("--topic", metavar="WORD", help="Only about this.")
@click.option("--event", type=_choice(EventKind), help="Only those made of such events.")
@as_json
@pass_context
def template_list(context: Context, /, *, as_json: bool, **which: Any) -> None:
    """List templates."""
    show_list(TemplateDesk(context), TemplateFilter(**which), as_json=as_json)


@template.command("show", epilog="peyk template show bill_issued --version 2")
@_NAME
@_UTILITY
@click.option("--version", "number", type=click.IntRange(1), metavar="N", help="An older one.")
@as_json
@pass_context
def template_show(
    context: Context, name: str, *, utility: str | None, number: int | None, as_json: bool
) -> None:
    """Show a template as it is written: `add` and `edit` take it back with --file."""
    show_one(TemplateDesk(context), utility, name, number, as_json=as_json)


@template.command("versions", epilog="peyk template versions bill_issued")
@_NAME
@_UTILITY
@as_json
@pass_context
def template_versions(context: Context, name: str, *, utility: str | None, as_json: bool) -> None:
    """List a template's versions: who saved each, and when."""
    show_versions(TemplateDesk(context), utility, name, as_json=as_json)


@template.command(
    "add",
    epilog="peyk template add thanks --on payment_booked --topic receipts "
    "--body '{{ amount|rial }} ریال رسید'",
)
@_NAME
@_UTILITY
@_SETTINGS
@click.option("--enable", is_flag=True, help="Use it from now on.")
@by
@pass_context
def template_add(
    context: Context, /, name: str, utility: str | None, by: str, *, enable: bool, **said: Any
) -> None:
    """Write a new template. Without --body or --file it opens an editor."""
    desk = TemplateDesk(context)
    add_template(desk, desk.utility(utility), name, _given(by, **said), enabled=enable)


@template.command("edit", epilog="peyk template edit bill_issued --hours 09:00-20:00")
@_NAME
@_UTILITY
@_SETTINGS
@by
@pass_context
def template_edit(
    context: Context, /, name: str, utility: str | None, by: str, **said: Any
) -> None:
    """Save a new version of a template. Without options it opens an editor."""
    edit_template(TemplateDesk(context), utility, name, _given(by, **said))


@template.command("preview", epilog="peyk template preview overdue --rows 5")
@_NAME
@_UTILITY
@click.option(
    "--rows",
    type=click.IntRange(1, MOST_ROWS),
    default=3,
    show_default=True,
    help="How many messages to show.",
)
@as_json
@pass_context
def template_preview(
    context: Context, name: str, *, utility: str | None, rows: int, as_json: bool
) -> None:
    """Show messages about what really happened, or what the report says, and their cost."""
    show_preview(TemplateDesk(context), utility, name, rows, as_json=as_json)


@template.command("test", epilog="peyk template test bill_issued --to 09131234567")
@_NAME
@click.option("--to", "mobile", required=True, metavar="MOBILE", help="Who gets it.")
@click.option("--real", is_flag=True, help="About the newest real row, not an example.")
@_UTILITY
@pass_context
def template_test(
    context: Context, name: str, *, mobile: str, real: bool, utility: str | None
) -> None:
    """Send one message of a template to one mobile, now."""
    with misuse():
        receiver = normal_mobile(mobile)
    desk = TemplateDesk(context)
    with context.database() as database:
        version = desk.named(database, utility, name).newest
        found = preview(desk, version, 1 if real else 0)
        if real and found.is_example:
            raise CommandError(f"there is no row for {name!r} yet; leave --real out")
        parts = found.parts[0]
        if not parts:
            raise CommandError(f"{name!r} cannot be written about this row: a fact is missing")
        ids = ids_for_command(now_ms).take(len(parts))
        notice = Notice(ids, receiver, version.definition.line, parts, None, now_ms())
        try:
            database.transact("cli.template_test", try_out, version, notice)
        except NobodyWantsIt:
            topic = version.definition.topic
            raise CommandError(
                f"{receiver} wants no {topic!r}: nothing was sent; "
                "`peyk optout list --mobile` says since when"
            ) from None
    wake(context)
    cost = desk.cost(version.definition.line, len(parts))
    click.echo(f"message {ids[0]} to {receiver} is queued: {cost}")


def _declare(verb: str, *, enabled: bool, help_text: str) -> None:
    @template.command(verb, help=help_text, epilog=f"peyk template {verb} bill_issued")
    @click.argument("names", metavar="NAME...", nargs=-1, required=True)
    @_UTILITY
    @by
    @pass_context
    def command(context: Context, names: tuple[str, ...], *, utility: str | None, by: str) -> None:
        desk = TemplateDesk(context)
        with context.database() as database:
            for each in [desk.named(database, utility, name) for name in names]:
                newest = each.newest
                if enabled:
                    with told():
                        desk.checker.check(newest.utility, newest.definition, newest.body)
                changed = database.transact(
                    f"cli.template_{verb}",
                    store.set_enabled,
                    each.id,
                    enabled=enabled,
                    by=by,
                    now=now_ms(),
                )
                said = f"is {'' if changed else 'already '}{verb}d"
                click.echo(f"{newest.name} of {newest.utility} {said}")
                if enabled:
                    warn_of_schedule(newest, now_ms())


_declare("enable", enabled=True, help_text="Let templates make messages from now on.")
_declare("disable", enabled=False, help_text="Let templates make no more messages.")


@template.command("load", epilog="peyk template load lorestan-water")
@click.argument("names", metavar="[PROFILE]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Of every profile that a line uses.")
@by
@pass_context
def template_load(context: Context, names: tuple[str, ...], *, every: bool, by: str) -> None:
    """Save the templates that profiles ship; what a utility has by a name, it keeps."""
    if bool(names) == every:
        raise click.UsageError("name the profiles, or say --all; not both.")
    desk = TemplateDesk(context)
    for name in names:
        if name not in desk.profiles:
            raise CommandError(f"no line uses {name!r}; {nearest_hint(name, desk.profiles)}")
    load_templates(desk, names or tuple(desk.profiles), by)


def load_templates(
    desk: TemplateDesk, names: tuple[str, ...], by: str, *, demo: bool = False
) -> None:
    """Save what these profiles ship, and say what came of it. Raises ``CommandError``."""
    context = desk.context
    with context.database() as database, told():
        for name in names:
            utility = desk.profiles[name].utility
            if utility not in desk.utilities:
                continue  # a utility that is only dialled sends no texts
            shipped = read_shipped(context.settings.profile_folder(name), utility, desk.checker)
            drafts = ready(shipped, utility, by, now_ms(), demo=demo)
            loaded = database.transact("cli.template_load", add_missing, drafts)
            if loaded.added or not demo:
                new = ", ".join(loaded.added) or "none"
                click.echo(
                    f"templates of {utility}: {new} new, {len(loaded.kept)} kept as they are"
                )
