"""A menu as a tree, for whoever edits it: what each key leads to, and what is asked there.

A menu with mistakes is drawn as far as it goes: names that there are none of stand as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from core.calls import Argument
from gateway.ussd.menu import Item, Leaf, Menu, MenuNode, TextNode


class Branch(NamedTuple):
    """One item of a menu, and what is below it."""

    dial: str
    """What is dialled to come to it at once."""
    title: str
    node: str
    """The name of the node; "" for an item that leads to none."""
    does: str
    """What happens there, in a line for the operator."""
    when: str
    """Its condition; "" is always."""
    below: tuple[Branch, ...] = ()


def tree_of(menu: Menu, code: str) -> Branch:
    """The whole menu, below its first screen; ``code`` is what is dialled for it: ``*1522#``."""
    below = tuple(_below(menu, menu.start, code.removesuffix("#"), (menu.start,)))
    node = menu.nodes.get(menu.start)
    title = node.title if isinstance(node, MenuNode) else ""
    aside = tuple(_aside(menu, code, {menu.start, *_names(below)}))
    return Branch(code, title, menu.start, "", "", below + aside)


def _names(branches: tuple[Branch, ...]) -> Iterator[str]:
    for each in branches:
        yield each.node
        yield from _names(each.below)


def _aside(menu: Menu, code: str, reached: set[str]) -> Iterator[Branch]:
    """What no item leads to: leaves whose answers are dialled, sessions of our own."""
    for name, node in menu.nodes.items():
        if name in reached:
            continue
        does = " → ".join(_steps(menu, node)) if isinstance(node, Leaf) else "tells"
        if isinstance(node, Leaf) and node.bare:
            asked = "*".join(_asked(menu, name) for name in node.ask)
            yield Branch(f"{code.removesuffix('#')}*{asked}#", name, name, does, "")
        else:
            yield Branch("", name, name, f"begun by us: {does}", "")


def _below(menu: Menu, name: str, dialled: str, above: tuple[str, ...]) -> Iterator[Branch]:
    node = menu.nodes.get(name)
    for item in node.items if isinstance(node, MenuNode) else ():
        path = f"{dialled}*{item.key}"
        goes_round = item.to in above
        below = () if goes_round else tuple(_below(menu, item.to, path, (*above, item.to)))
        does = f"back to {item.to}" if goes_round else _does(menu, item)
        yield Branch(f"{path}#", item.title, item.to, does, item.when, below)


def _does(menu: Menu, item: Item) -> str:
    if item.language is not None:
        return f"language {item.language or 'fa'}"
    if item.subscription:
        return "asks which subscription is meant"
    node = menu.nodes.get(item.to)
    if isinstance(node, TextNode):
        return "tells, and ends" if node.ends else "tells"
    return " → ".join(_steps(menu, node)) if isinstance(node, Leaf) else ""


def _steps(menu: Menu, leaf: Leaf) -> Iterator[str]:
    if leaf.about:
        named = " or ".join(leaf.by)
        yield f"{named}, {Argument.CODE}" if leaf.proven else named
    for name in leaf.ask:
        yield _asked(menu, name)
    if leaf.preview:
        yield f"({leaf.preview})"
    if leaf.confirm:
        yield "confirm"
    yield leaf.operation


def _asked(menu: Menu, name: str) -> str:
    question = menu.questions.get(name)
    return " or ".join(question.arguments) if question else name


def as_rows(branch: Branch) -> dict[str, object]:
    """A tree for programs."""
    row: dict[str, object] = {**branch._asdict(), "below": [as_rows(one) for one in branch.below]}
    return {name: value for name, value in row.items() if value or name == "dial"}
