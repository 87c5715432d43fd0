"""A template's words: what they may say, checked when they are saved, and written fast.

A body is Jinja2 in the sandbox of ``gateway.sandbox``, and less than that: it is filled with
single facts, so it has conditions and no loops, and nothing in it can make a text grow. What
its source declares decides which variables it has and which filter each of them takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from jinja2 import Template, TemplateError, nodes
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.calls import Fact
from core.events.facts import FactKind, FactKinds
from core.text import nearest_hint
from gateway.sandbox import Write, environment, writer
from gateway.templates.errors import BodyError
from gateway.templates.examples import without, written_out
from gateway.templates.scanning import Scanned

LONGEST: Final = 4_000
"""Characters of a body."""
FILTERS: Final = (
    "rial", "fa", "jalali", "jalali_time", "word",
    "default", "truncate", "trim", "upper", "lower", "int", "abs", "round", "length", "first",
    "last", "string",
)  # fmt: skip
_DEEPEST: Final = 40
"""Levels of a body's tree: an 'if' within an 'if', a filter of a filter, a sum of sums."""
_TOO_DEEP: Final = "it is nested too deeply"
_MAY: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If,
    nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Add,
    nodes.Sub, nodes.Div, nodes.FloorDiv, nodes.Neg, nodes.Concat, nodes.Filter, nodes.Test,
    nodes.Getitem, nodes.Slice, nodes.List, nodes.Tuple, nodes.Keyword,
)  # fmt: skip
_KEYWORD_OF: Final = MappingProxyType(
    {
        nodes.For: "for", nodes.Assign: "set", nodes.AssignBlock: "set", nodes.Macro: "macro",
        nodes.CallBlock: "call", nodes.FilterBlock: "filter", nodes.Include: "include",
        nodes.Import: "import", nodes.FromImport: "from", nodes.Extends: "extends",
        nodes.Block: "block", nodes.With: "with", nodes.Mul: "*", nodes.Pow: "**",
        nodes.Mod: "%", nodes.Getattr: ".", nodes.Call: "(", nodes.Dict: "{",
    }
)  # fmt: skip
_TAKES: Final = MappingProxyType(
    {
        "rial": (FactKind.NUMBER,),
        "fa": (FactKind.TEXT, FactKind.NUMBER),
        "jalali": (FactKind.DATE, FactKind.INSTANT),
        "jalali_time": (FactKind.INSTANT,),
    }
)
_NEEDS: Final = MappingProxyType({FactKind.DATE: "jalali", FactKind.INSTANT: "jalali_time"})


@dataclass(frozen=True, slots=True)
class Body:
    """Words that are ready to be filled in."""

    write: Write
    variables: frozenset[str]
    """The facts that they use."""


def sandbox_of(words: Mapping[str, str], language: str) -> ImmutableSandboxedEnvironment:
    """The sandbox of a utility's templates; its ``words`` are for the filter ``word``."""
    made = environment(words, "" if language == "fa" else language)
    for name in made.filters.keys() - set(FILTERS):
        del made.filters[name]
    return made


def compile_body(body: str, sandbox: ImmutableSandboxedEnvironment) -> Body:
    """A body that was checked when it was saved. Raises ``jinja2.TemplateError``."""
    template: Template = sandbox.from_string(body)
    return Body(writer(template), frozenset(find_undeclared_variables(sandbox.parse(body))))


def check_body(body: str, sandbox: ImmutableSandboxedEnvironment, kinds: FactKinds) -> Body:
    """Compile a body that is to be saved. Raises ``BodyError`` for the first mistake."""
    if not body.strip():
        raise BodyError(1, 1, "it says nothing")
    if len(body) > LONGEST:
        raise BodyError(1, 1, f"it has {len(body)} characters; {LONGEST} are allowed")
    try:
        scanned = Scanned(sandbox, body)
    except RecursionError:
        raise BodyError(1, 1, _TOO_DEEP) from None
    for node in _all(scanned.tree):
        _check_place(scanned, node)
    for node in _all(scanned.tree):
        _check_node(scanned, node, kinds)
    try:
        found = compile_body(body, sandbox)
    except TemplateError as error:
        raise scanned.error("", str(error), getattr(error, "lineno", 1)) from None
    for facts in _trials(kinds, found.variables):
        try:
            found.write(facts)
        except Exception as error:  # noqa: BLE001 - whatever an expression does with data
            problem = f"cannot be filled in: {error}"
            raise scanned.error("", problem, _line_of(error)) from None
    return found


def _all(tree: nodes.Node) -> Iterator[nodes.Node]:
    """Every node. Raises ``BodyError`` for a tree that its compiler could not go through."""
    level: list[nodes.Node] = [tree]
    for _ in range(_DEEPEST):
        yield from level
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return
    raise BodyError(level[0].lineno, 1, _TOO_DEEP)


def _check_place(scanned: Scanned, node: nodes.Node) -> None:
    if not isinstance(node, _MAY):
        word = _KEYWORD_OF.get(type(node), type(node).__name__.lower())
        problem = f"{word!r} has no place in a message; it may have variables, filters and 'if'"
        raise scanned.error(word, problem, node.lineno)


def _check_node(scanned: Scanned, node: nodes.Node, kinds: FactKinds) -> None:
    if isinstance(node, nodes.Name) and node.name not in kinds:
        hint = nearest_hint(node.name, kinds)
        raise scanned.error_of_variable(node.name, f"there is no variable {node.name!r}; {hint}")
    if isinstance(node, nodes.Filter):
        _check_filter(scanned, node, kinds)
    if isinstance(node, nodes.Test) and node.name not in scanned.tests:
        raise scanned.error(node.name, f"there is no test {node.name!r}", node.lineno)
    if isinstance(node, nodes.Output):
        for each in node.nodes:
            kind = kinds.get(each.name) if isinstance(each, nodes.Name) else None
            if isinstance(each, nodes.Name) and kind and (needed := _NEEDS.get(kind)):
                problem = f"{each.name} is a {kind}: write {{{{ {each.name}|{needed} }}}}"
                raise scanned.error_of_variable(each.name, problem)


def _check_filter(scanned: Scanned, node: nodes.Filter, kinds: FactKinds) -> None:
    if node.name not in FILTERS:
        problem = f"there is no filter {node.name!r}; {nearest_hint(node.name, FILTERS)}"
        raise scanned.error(node.name, problem, node.lineno)
    of = node.node
    kind = kinds.get(of.name) if isinstance(of, nodes.Name) else None
    takes = _TAKES.get(node.name)
    if isinstance(of, nodes.Name) and kind and takes and kind not in takes:
        good = next((name for name, each in _TAKES.items() if kind in each), "")
        hint = f"; write {{{{ {of.name}|{good} }}}}" if good else ""
        problem = f"{of.name} is a {kind}, which {node.name!r} does not take{hint}"
        raise scanned.error(node.name, problem, node.lineno)


def _trials(kinds: FactKinds, used: frozenset[str]) -> Iterator[Mapping[str, Fact]]:
    """Facts with all of them there, with none, and with each of them not."""
    full = written_out(kinds)
    yield full
    yield {name: without(kind) for name, kind in kinds.items()}
    for name in used:
        yield {**full, name: without(kinds[name])}


def _line_of(error: BaseException) -> int:
    """The line of the template in which an error came up."""
    found, at = 1, error.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename == "<template>":
            found = at.tb_lineno
        at = at.tb_next
    return found
