"""``peyk profile``: the utilities' commands and words, listed and checked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from core.operations import REGISTRY
from core.text import nearest_hint
from gateway.commands.clicking import Group, as_json, pass_context
from gateway.commands.context import CommandError, Context
from gateway.commands.output import print_json, print_table
from gateway.configuration import ConfigError, read_toml
from gateway.profile_check import check_profile, languages
from gateway.profiles import load_profile


@click.group(cls=Group, epilog="peyk profile check --all")
def profile() -> None:
    """The utilities' commands and words: list them, look for mistakes in them."""


@profile.command("list", epilog="peyk profile list")
@as_json
@pass_context
def profile_list(context: Context, *, as_json: bool) -> None:
    """List the profiles, with the lines that use each."""
    show_profiles(context, as_json=as_json)


@profile.command("check", epilog="peyk profile check lorestan-water")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Check every profile there is.")
@click.option(
    "--parts",
    type=click.IntRange(1, 10),
    default=2,
    show_default=True,
    help="How many parts a reply may take.",
)
@pass_context
def profile_check(context: Context, names: Sequence[str], *, every: bool, parts: int) -> None:
    """Print every mistake in profiles, not only the first. Exits with 1 when there is any."""
    if bool(names) == every:
        raise click.UsageError("name the profiles to check, or say --all; not both.")
    sys.exit(check_profiles(context, names, most_parts=parts))


def show_profiles(context: Context, *, as_json: bool) -> None:
    """List the profiles there are, and the lines that use each."""
    rows = []
    used = read_toml(context.config).get("lines", [])
    for folder in profile_folders(context):
        lines = [line.get("number") for line in used if line.get("profile") == folder.name]
        row: dict[str, object] = {"name": folder.name, "lines": lines}
        try:
            loaded = load_profile(folder, REGISTRY)
        except ConfigError as error:
            row["mistake"] = str(error)
        else:
            row["title"] = loaded.title
            row["utility"] = loaded.utility
            row["commands"] = len(loaded.grammar.patterns)
            row["languages"] = languages(loaded)
        rows.append(row)
    if as_json:
        print_json(rows)
        return
    print_table(("NAME", "LINES", "COMMANDS", "LANGUAGES", "TITLE"), [_row(row) for row in rows])


def _row(row: dict[str, object]) -> Sequence[object]:
    def joined(name: str) -> str | None:
        value = row.get(name)
        return " ".join(map(str, value)) or None if isinstance(value, list) else None

    title = row.get("title") or "has mistakes: see `peyk profile check`"
    return row["name"], joined("lines"), row.get("commands"), joined("languages"), title


def check_profiles(context: Context, names: Sequence[str], *, most_parts: int) -> int:
    """Print every mistake in these profiles, all of them without names; the exit code."""
    folders = {folder.name: folder for folder in profile_folders(context)}
    for name in names:
        if name not in folders:
            raise CommandError(f"there is no profile {name!r}; {nearest_hint(name, folders)}")
    count = 0
    for name in names or sorted(folders):
        found = check_profile(folders[name], REGISTRY, most_parts)
        count += len(found)
        for error in found:
            click.echo(str(error))
        if not found:
            click.echo(f"{name}: nothing is wrong with it")
    return 1 if count else 0


def profile_folders(context: Context) -> list[Path]:
    """The folders of all profiles. A profile is checked before there is a key or a database."""
    daemon = read_toml(context.config).get("daemon", {})
    parent = context.config.parent / str(daemon.get("profiles", "profiles"))
    if not parent.is_dir():
        raise CommandError(f"{context.config}: daemon.profiles: there is no folder {parent}")
    return sorted(each for each in parent.iterdir() if (each / "profile.toml").exists())
