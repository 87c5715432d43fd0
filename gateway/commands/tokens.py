"""``peyk token``: what other systems call the API with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from core.access.permissions import TITLES, Permission
from core.access.tokens import (
    MOST_PER_MINUTE,
    PER_MINUTE,
    YEAR_MS,
    NewToken,
    Token,
    TokenError,
    add_token,
    list_tokens,
    revoke_token,
    token_name,
)
from core.jalali import day_interval, milliseconds, parse_date
from core.text import nearest_hint
from gateway.commands.auditing import by_command
from gateway.commands.clicking import Group, as_json, misuse, pass_context
from gateway.commands.context import CommandError, Context, now_ms
from gateway.commands.output import for_people, for_programs, print_json, print_table
from gateway.commands.utilities import scope_of

NEVER: Final = "never"


@click.group(
    cls=Group,
    epilog="peyk token add billing --utility kerman-water --may message.send --may outbox.see",
)
def token() -> None:
    """Tokens of the API: add one, list them, revoke one."""


@token.command(
    "add",
    epilog="peyk token add billing --utility kerman-water --may message.send --expires 1406/01/01",
)
@click.argument("name", metavar="NAME")
@click.option(
    "--may",
    "may",
    multiple=True,
    metavar="PERMISSION",
    help="What it may do; may be said again. `peyk token permissions` lists them.",
)
@click.option(
    "--utility", metavar="NAME", help="Only for the data of this utility (default: of every one)."
)
@click.option(
    "--per-minute",
    type=click.IntRange(1, MOST_PER_MINUTE),
    default=PER_MINUTE,
    show_default=True,
    metavar="COUNT",
    help="Requests that it may make.",
)
@click.option(
    "--expires",
    metavar="DATE",
    help="The last day on which it is good, 1406/01/01 or ISO, or never (default: in a year).",
)
@pass_context
def token_add(  # noqa: PLR0913 - what is said of a token
    context: Context,
    /,
    *,
    name: str,
    may: tuple[str, ...],
    utility: str | None,
    per_minute: int,
    expires: str | None,
) -> None:
    """Make a token and print it, once: only its hash is kept."""
    if not may:
        raise click.UsageError("say what it may do with --may; `peyk token permissions` lists it")
    by = by_command()
    with misuse():
        permissions = _permissions(may)
        until = _until(expires, by.now_ms)
        name = token_name(name)
    place = scope_of(context, utility)
    new = NewToken(name, permissions, place, per_minute, until)
    with context.database() as database:
        secret = database.transact("cli.token", add_token, by, new)
    whose = place or "every utility"
    ends = f"until {for_people(until)}" if until else "without an end"
    click.echo(f"{name}: for the data of {whose}, {ends}. It is shown this once:", err=True)
    click.echo(secret)


@token.command("list", epilog="peyk token list --json")
@as_json
@pass_context
def token_list(context: Context, *, as_json: bool) -> None:
    """List the tokens, those that are over too; what is shown of a token is kept nowhere."""
    now = now_ms()
    with context.database() as database:
        found = database.read("cli.tokens", list_tokens)
    if as_json:
        print_json([_as_json(each, now) for each in found])
        return
    columns = ("name", "state", "utility", "may", "a minute", "made", "by", "expires", "used")
    print_table(columns, (_row(each, now) for each in found), texts=("may",))
    if not found:
        click.echo("none; `peyk token add NAME --may PERMISSION` makes one", err=True)


@token.command("revoke", epilog="peyk token revoke billing")
@click.argument("name", metavar="NAME")
@pass_context
def token_revoke(context: Context, *, name: str) -> None:
    """Let a token in no more, from its next request on."""
    with context.database() as database:
        try:
            database.transact("cli.token", revoke_token, by_command(), name)
        except TokenError as error:
            raise CommandError(f"{error}; `peyk token list` has them all") from None
    click.echo(f"{name} is let in no more")


@token.command("permissions", epilog="peyk token permissions")
@as_json
def token_permissions(*, as_json: bool) -> None:
    """List what a token may be allowed."""
    if as_json:
        print_json(
            [{"name": p.value, "title": en, "title_fa": fa} for p, (fa, en) in TITLES.items()]
        )
        return
    rows = ((p.value, english, persian) for p, (persian, english) in TITLES.items())
    print_table(("name", "what", "فارسی"), rows)


# --- help ---------------------------------------------------------------------------------


def _permissions(said: Sequence[str]) -> frozenset[Permission]:
    known = {each.value: each for each in Permission}
    for each in said:
        if each not in known:
            hint = nearest_hint(each, known)
            raise ValueError(f"there is no permission {each!r}; {hint}")
    return frozenset(known[each] for each in said)


def _until(said: str | None, now: int) -> int | None:
    """The end of the last day, UTC milliseconds."""
    if said == NEVER:
        return None
    if said is None:
        return now + YEAR_MS
    _, end = day_interval(parse_date(said))
    until = milliseconds(end)
    if until <= now:
        raise ValueError(f"--expires: {said} is over")
    return until


def _state(each: Token, now: int) -> str:
    if each.revoked_at is not None:
        return "revoked"
    return "good" if each.is_good(now) else "expired"


def _row(each: Token, now: int) -> tuple[object, ...]:
    return (
        each.name,
        _state(each, now),
        each.utility or None,
        ", ".join(sorted(each.permissions)),
        each.per_minute,
        for_people(each.created_at),
        each.created_by,
        for_people(each.expires_at),
        for_people(each.used_at),
    )


def _as_json(each: Token, now: int) -> dict[str, object]:
    instants = ("created_at", "expires_at", "revoked_at", "used_at")
    return {
        "name": each.name,
        "state": _state(each, now),
        "utility": each.utility or None,
        "permissions": sorted(each.permissions),
        "per_minute": each.per_minute,
        "created_by": each.created_by,
        **{name: for_programs(getattr(each, name)) for name in instants},
    }
