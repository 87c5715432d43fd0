"""``peyk ussd check``: mistakes in menus, and each menu drawn as a tree."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.markup import escape
from rich.tree import Tree

from core.operations import REGISTRY
from core.text import nearest_hint
from gateway.commands.clicking import Command, as_json, pass_context
from gateway.commands.context import CommandError, Context
from gateway.commands.output import console, isolated, print_json
from gateway.commands.profiles import profile_folders
from gateway.configuration import read_toml
from gateway.ussd.menu import Menus
from gateway.ussd.menu_file import has_menu
from gateway.ussd.menu_findings import check_menu
from gateway.ussd.menu_tree import Branch, as_rows, tree_of
from gateway.ussd.pages import SEPTETS, UNITS, PageSize

_NO_CODE = "*…#"
"""Stands for the code of a menu that no line is dialled for."""


@click.command("check", cls=Command, epilog="peyk ussd check lorestan-water")
@click.argument("names", metavar="[PROFILE]...", nargs=-1)
@click.option(
    "--page",
    type=click.IntRange(30, 160),
    metavar="UNITS",
    help="How many characters of Persian a page holds; the line's own without it, else 80.",
)
@click.option(
    "--language",
    type=click.Choice(["fa", "en"]),
    default="fa",
    show_default=True,
    help="The language in which to draw it.",
)
@as_json
@pass_context
def ussd_check(
    context: Context, names: Sequence[str], page: int | None, language: str, *, as_json: bool
) -> None:
    """Draw the menus of profiles, all of them without names, and print every mistake.

    Finds nodes that nothing leads to, missing texts, screens that cannot fit, operations and
    arguments that there are none of, and outcomes without words. Exits with 1 when there is
    a mistake.
    """
    every = {folder.name: folder for folder in profile_folders(context)}
    folders = {name: folder for name, folder in every.items() if has_menu(folder)}
    for name in names:
        if name not in every:
            raise CommandError(f"there is no profile {name!r}; {nearest_hint(name, every)}")
        if name not in folders:
            raise CommandError(f"{name} has no menu.toml: nobody can dial it")
    lines = _dialled(context)
    rows = []
    wrong = False
    for name in names or sorted(folders):
        code, size = _sized(lines.get(name, {}), page)
        menus, mistakes = check_menu(folders[name], REGISTRY, size)
        wrong = wrong or bool(mistakes)
        tree = _tree(menus, code, language) if menus else None
        told = [str(each) for each in mistakes]
        if as_json:
            drawn = as_rows(tree) if tree else None
            rows.append({"profile": name, "menu": drawn, "mistakes": told})
        else:
            _show(name, tree, told)
    if as_json:
        print_json(rows)
    sys.exit(1 if wrong else 0)


def _tree(menus: Menus, code: str, language: str) -> Branch:
    return tree_of(menus.spoken(language), code)


def _show(name: str, tree: Branch | None, mistakes: Sequence[str]) -> None:
    if tree:
        root = Tree(f"{escape(isolated(tree.title))}  [dim]{name}, {escape(tree.dial)}[/dim]")
        _draw(root, tree)
        console().print(root)
    for mistake in mistakes:
        click.echo(mistake)
    if not mistakes:
        click.echo(f"{name}: nothing is wrong with its menu")


def _draw(drawn: Tree, branch: Branch) -> None:
    for each in branch.below:
        when = f" when {each.when}" if each.when else ""
        about = escape(f"{each.dial}{when}  {each.does}".rstrip())
        _draw(drawn.add(f"{escape(isolated(each.title))}  [dim]{about}[/dim]"), each)


def _dialled(context: Context) -> Mapping[str, Mapping[str, Any]]:
    """The first dialled line of each profile; a menu is checked before there is a key."""
    found: dict[str, Mapping[str, Any]] = {}
    for line in read_toml(context.config).get("lines", []):
        if str(line.get("number", "")).startswith("*"):
            found.setdefault(str(line.get("profile")), line)
    return found


def _sized(line: Mapping[str, Any], page: int | None) -> tuple[str, PageSize]:
    """What is dialled for a line's menu, and what a page of it holds."""
    units = page or line.get("page", UNITS)
    septets = units * 16 // 7 if page else line.get("page_gsm7", SEPTETS)
    if not isinstance(units, int) or not isinstance(septets, int):
        raise CommandError(f"line {line.get('number')}: page and page_gsm7 are whole numbers")
    marks = line.get("rtl_marks") is True
    return str(line.get("number", _NO_CODE)), PageSize(units, septets, marks=marks)
