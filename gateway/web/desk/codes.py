"""The codes and menus of each line, as subscribers have them; each can be tried on the phone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from core.access.permissions import Permission
from core.text import ascii_digits
from gateway.minds import LineMind
from gateway.ussd.menu import Leaf, Menu
from gateway.ussd.menu_tree import Branch, tree_of
from gateway.web.desk import boxes
from gateway.web.desk.routes import Routes
from gateway.web.desk.visit import Visit

routes = Routes()


class Command(NamedTuple):
    """One thing that can be texted."""

    operation: str
    names: str
    """Its codes and keywords."""
    format: str
    """How to write it, as subscribers are told."""
    trial: str
    """What the phone begins with."""


class Line(NamedTuple):
    """What a line that is texted takes."""

    number: str
    title: str
    commands: Sequence[Command]


class Node(NamedTuple):
    """An item of a menu."""

    dial: str
    title: str
    operation: str
    """What it comes to; "" for a menu."""
    when: str
    below: Sequence[Node]
    trial: str


class Code(NamedTuple):
    """What a code that is dialled shows."""

    number: str
    title: str
    root: Node


@routes.route("GET", "/codes", Permission.USSD_SEE)
async def show(visit: Visit) -> bytes:
    """Every line that the visitor may know of."""
    seen = boxes.lines_of(visit, Permission.USSD_SEE)
    minds, talkers = visit.means.minds, visit.means.talkers
    lines = [
        Line(number, mind.profile.title, list(_commands(number, mind)))
        for number, mind in minds.items()
        if seen is None or number in seen
    ]
    codes = [
        Code(
            number, talker.profile.title, _node(talker.menus.own, tree_of(talker.menus.own, number))
        )
        for number, talker in talkers.items()
        if seen is None or number in seen
    ]
    return visit.page("codes.html", lines=lines, codes=codes)


def _commands(line: str, mind: LineMind) -> Iterator[Command]:
    for pattern in mind.profile.grammar.patterns:
        names = "، ".join((*pattern.codes, *pattern.keywords))
        query = urlencode({"line": line, "text": pattern.name})
        yield Command(pattern.operation, names, pattern.format, f"/phone?{query}#text")


def _tree(menu: Menu, code: str) -> Node:
    return _node(menu, tree_of(menu, code))


def _node(menu: Menu, branch: Branch) -> Node:
    leaf = menu.nodes.get(branch.node)
    return Node(
        branch.dial,
        branch.title,
        leaf.operation if isinstance(leaf, Leaf) else "",
        branch.when,
        [_node(menu, each) for each in branch.below],
        f"/phone?{urlencode({'code': branch.dial})}#code" if _is_whole(branch.dial) else "",
    )


def _is_whole(dial: str) -> bool:
    """Whether it can be dialled as it stands: a path may have names of figures in it."""
    return bool(dial) and ascii_digits(dial).strip("*#").replace("*", "").isdigit()
