"""``peyk user``: who may use the desk, and help for who cannot get in."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from core.access import administering
from core.access.administering import Shift
from core.access.passwords import WeakPassword, check_strength, hash_password
from core.access.permissions import BUILT_IN
from core.access.roles import Role, list_roles
from core.access.users import LANGUAGES, NewUser, User, list_users, user_name
from gateway.commands.auditing import by_command
from gateway.commands.clicking import Group, as_json, misuse, options, pass_context
from gateway.commands.context import CommandError, Context
from gateway.commands.output import for_people, for_programs, print_json, print_table
from gateway.commands.utilities import scope_of

_NAME = click.argument("name", metavar="NAME")
_UTILITY = click.option(
    "--utility", metavar="NAME", help="Only for the data of this utility (default: of every one)."
)
_PASSWORD = options(
    click.option(
        "--password-file",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        metavar="FILE",
        help="Read the password from this file.",
    ),
    click.option("--password-stdin", is_flag=True, help="Read the password from standard input."),
)
STATES: Final = {True: "active", False: "disabled"}


@click.group(cls=Group, epilog="peyk user add m.karimi --title 'مریم کریمی' --role operator")
def user() -> None:
    """Users of the desk: add, list, give roles, disable, help back in."""


@user.command("add", epilog="peyk user add m.karimi --title 'مریم کریمی' --role operator")
@_NAME
@click.option("--title", metavar="TEXT", help="The person's name (default: NAME).")
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="May be said again.")
@_UTILITY
@click.option("--office", default="", metavar="TEXT", help="The counter office, if it is one.")
@click.option("--language", type=click.Choice(LANGUAGES), default="fa", show_default=True)
@_PASSWORD
@pass_context
def user_add(  # noqa: PLR0913 - what is said of a person
    context: Context,
    /,
    *,
    name: str,
    title: str | None,
    roles: tuple[str, ...],
    utility: str | None,
    office: str,
    language: str,
    password_file: Path | None,
    password_stdin: bool,
) -> None:
    """Add a user; the first of all becomes administrator.

    The password is asked for twice, unless it comes from a file or standard input.
    """
    with misuse():
        name = user_name(name)
    place = scope_of(context, utility)
    # Before anybody has to think of a password.
    with context.database() as database:
        _check_new(database.read("cli.users", list_users), name, roles)
    hashed = _password(name, title or name, password_file, stdin=password_stdin)
    new = NewUser(name, title or name, hashed, language, office)
    given = _do(context, administering.add, new, roles, place)
    click.echo(f"added {name}: {', '.join(given)}")


@user.command("list", epilog="peyk user list --json")
@as_json
@pass_context
def user_list(context: Context, *, as_json: bool) -> None:
    """List who may log in, and what each may do."""
    with context.database() as database:
        found = database.read("cli.users", list_users)
    if as_json:
        print_json([_as_json(each) for each in found])
        return
    columns = ("name", "title", "roles", "office", "second factor", "state", "since")
    print_table(columns, (_row(each) for each in found), texts=("title", "roles"))
    if not found:
        click.echo("nobody; `peyk user add NAME` adds the first", err=True)


@user.command("roles", epilog="peyk user roles --json")
@as_json
@pass_context
def user_roles(context: Context, *, as_json: bool) -> None:
    """List the roles that users can have."""
    with context.database() as database:
        found = database.read("cli.roles", list_roles)
    if as_json:
        print_json([_role_json(each) for each in found])
        return
    rows = ((r.name, r.title, len(r.permissions), r.users) for r in found)
    print_table(("name", "title", "permissions", "users"), rows, texts=("title",))


@user.command("role", epilog="peyk user role m.karimi --give operator --utility kerman-water")
@_NAME
@click.option("--give", multiple=True, metavar="ROLE", help="May be said again.")
@click.option("--take", multiple=True, metavar="ROLE", help="May be said again.")
@_UTILITY
@pass_context
def user_role(
    context: Context,
    /,
    *,
    name: str,
    give: tuple[str, ...],
    take: tuple[str, ...],
    utility: str | None,
) -> None:
    """Give somebody roles, and take roles from them."""
    if not give and not take:
        raise click.UsageError("say --give ROLE or --take ROLE")
    place = scope_of(context, utility)
    changed = _do(context, administering.change_roles, name, Shift(give, take, place))
    click.echo(f"{name}: {_roles(changed) or 'no role'}")


@user.command("disable", epilog="peyk user disable m.karimi")
@_NAME
@pass_context
def user_disable(context: Context, *, name: str) -> None:
    """Let somebody in no more; they are logged out everywhere."""
    _do(context, administering.disable, name)
    click.echo(f"{name} cannot log in any more")


@user.command("enable", epilog="peyk user enable m.karimi")
@_NAME
@pass_context
def user_enable(context: Context, *, name: str) -> None:
    """Let somebody in again."""
    _do(context, administering.enable, name)
    click.echo(f"{name} can log in again")


@user.command("password", epilog="peyk user password m.karimi")
@_NAME
@_PASSWORD
@pass_context
def user_password(
    context: Context, *, name: str, password_file: Path | None, password_stdin: bool
) -> None:
    """Give somebody a new password; they are logged out everywhere, and a lock is lifted."""
    found = _do(context, lambda connection, _: administering.named(connection, name))
    hashed = _password(name, found.title, password_file, stdin=password_stdin)
    _do(context, administering.give_password, name, hashed)
    click.echo(f"{name} has a new password")


@user.command("reset-totp", epilog="peyk user reset-totp m.karimi")
@_NAME
@pass_context
def user_reset_totp(context: Context, *, name: str) -> None:
    """Ask somebody whose telephone is lost for no code any more."""
    _do(context, administering.forget_totp, name)
    click.echo(f"{name} logs in with the password alone")


# --- help ---------------------------------------------------------------------------------


def _do(context: Context, function: Callable[..., Any], *arguments: Any) -> Any:
    with context.database() as database:
        return database.transact("cli.user", function, by_command(), *arguments)


def _check_new(known: Any, name: str, roles: tuple[str, ...]) -> None:
    if any(each.name == name for each in known):
        raise CommandError(f"there is a user {name!r} already")
    if known and not roles:
        raise click.UsageError("name a role with --role; `peyk user roles` lists them")


def _password(name: str, title: str, file: Path | None, *, stdin: bool) -> str:
    """The hash of a password that is typed twice, or read."""
    if file is not None:
        password = file.read_text(encoding="utf-8").strip("\r\n")
    elif stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        raise click.UsageError("there is no terminal: use --password-file or --password-stdin")
    with misuse():
        try:
            check_strength(password, name, title)
        except WeakPassword as weak:
            raise ValueError(f"the password {weak}") from None
    return hash_password(password)


def _roles(each: User) -> str:
    return ", ".join(f"{h.role} ({h.utility})" if h.utility else h.role for h in each.held)


def _row(each: User) -> tuple[object, ...]:
    return (
        each.name,
        each.title,
        _roles(each) or None,
        each.office or None,
        "yes" if each.has_totp else "no",
        STATES[each.disabled_at is None],
        for_people(each.created_at),
    )


def _as_json(each: User) -> dict[str, object]:
    return {
        "id": each.id,
        "name": each.name,
        "title": each.title,
        "language": each.language,
        "office": each.office,
        "second_factor": each.has_totp,
        "state": STATES[each.disabled_at is None],
        "created_at": for_programs(each.created_at),
        "roles": [{"role": held.role, "utility": held.utility or None} for held in each.held],
    }


def _role_json(role: Role) -> dict[str, object]:
    return {
        "name": role.name,
        "title": role.title,
        "english": BUILT_IN[role.name].english if role.name in BUILT_IN else None,
        "permissions": sorted(role.permissions),
        "users": role.users,
    }
