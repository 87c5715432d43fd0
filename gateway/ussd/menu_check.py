"""What can be wrong with a menu.

Names that there are none of, arguments that do not meet, nodes that nothing leads to, screens
that cannot fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from core.calls import DONE, Argument
from core.operations import Operation
from core.operations.operation import NAMING
from core.text import nearest_hint
from gateway.configuration import ConfigError
from gateway.findings import Findings
from gateway.profiles import Profile
from gateway.rules.values import IDENTIFIERS as CHECKED
from gateway.services import check_kind
from gateway.ussd.confirming import example_facts
from gateway.ussd.menu import NOT, REGISTERED, YES, Menu, MenuNode, Sms, TextNode
from gateway.ussd.menu_model import (
    ItemTable,
    LeafTable,
    MenuFile,
    confirmed_facts,
    given,
    is_about,
)
from gateway.ussd.pages import Content, PageSize, pages_of

LANGUAGES: Final = ("fa", "en", "")
COUNTING: Final = frozenset({"pay", "mid_bill", "submit_reading"})
"""Operations about money and readings: nobody comes to them by a slip of a finger."""
LAST_WORDS: Final = frozenset({"over", "busy", "goodbye"})
MOST_MENU_PAGES: Final = 3
MOST_QUESTION_PAGES: Final = 2


@dataclass(frozen=True)
class Checker:
    """Notes every mistake of one menu file."""

    file: Path
    model: MenuFile
    profile: Profile
    operations: Mapping[str, Operation]
    findings: Findings

    def _wrong(self, key: str, problem: str, hint: str = "") -> None:
        self.findings.add(ConfigError(self.file, key, problem, hint))

    def _known(self, key: str, what: str, name: str, known: Iterable[str]) -> bool:
        names = list(known)
        if name in names:
            return True
        self._wrong(key, f"there is no {what} {name!r}", nearest_hint(name, names))
        return False

    # --- what it is made of ---------------------------------------------------------------

    def check(self) -> None:
        """Whatever does not depend on the language."""
        model = self.model
        nodes = [*model.menus, *model.leaves, *model.texts]
        for name in sorted({name for name in nodes if nodes.count(name) > 1}):
            self._wrong(name, "is the name of more than one node")
        self._known("start", "menu", model.start, model.menus)
        for name, menu in model.menus.items():
            for key, item in menu.items.items():
                self._item(f"menus.{name}.items.{key}", key, item, nodes)
        for name, leaf in model.leaves.items():
            if self._known(
                f"leaves.{name}.operation", "operation", leaf.operation, self.operations
            ):
                self._leaf(f"leaves.{name}", leaf, self.operations[leaf.operation])
        for name, question in model.questions.items():
            for argument in question.arguments:
                self._field(f"questions.{name}.argument", argument)
        for name, condition in model.conditions.items():
            self._condition(f"conditions.{name}", condition.operation, condition.fact)
        self._unused()

    def _item(self, where: str, key: str, item: ItemTable, nodes: list[str]) -> None:
        if key in self.model.keys.made().all:
            self._wrong(where, f"{key} is a key that moves about", "give the item another digit")
        if item.to:
            self._known(f"{where}.to", "node", item.to, nodes)
        if item.language is not None and item.language not in LANGUAGES:
            self._wrong(f"{where}.language", f"there is no {item.language!r}", "fa or en")
        condition = item.when.removeprefix(NOT)
        if condition:
            self._known(
                f"{where}.when", "condition", condition, [REGISTERED, *self.model.conditions]
            )

    def _field(self, where: str, argument: Argument) -> None:
        if argument is not Argument.TEXT and argument not in self.profile.grammar.fields:
            problem = f"profile.toml has no field {argument.value!r}"
            self._wrong(where, problem, "say there how many digits it has")

    def _leaf(self, where: str, leaf: LeafTable, operation: Operation) -> None:
        known = [
            name
            for name in leaf.ask
            if self._known(f"{where}.ask", "question", name, self.model.questions)
        ]
        brings = given(self.model, leaf)
        preview = self._preview(where, leaf)
        takes = operation.required | operation.optional
        if preview:
            takes |= preview.required | preview.optional
        for argument in sorted(brings - takes):
            self._wrong(where, f"{leaf.operation} takes no {argument.value!r}")
        for argument in sorted(operation.required - brings):
            problem = f"{leaf.operation} needs {argument.value!r}"
            self._wrong(where, problem, "ask for it, or give it in `with` or `take`")
        once = [argument for name in known for argument in self.model.questions[name].arguments]
        for argument in sorted({each for each in once if once.count(each) > 1}):
            self._wrong(f"{where}.ask", f"{argument.value!r} is asked for twice")
        if Argument.CODE in brings:
            self._wrong(where, "a secret code is asked for by [identify] alone")
        if leaf.bare and CHECKED.isdisjoint(brings):
            problem = "no figure of it carries a check digit: it could be anything"
            self._wrong(f"{where}.bare", problem)
        kind = leaf.fixed.get(Argument.KIND)
        problem = "" if kind is None else check_kind(self.profile.terms.services, kind)
        if problem:
            self._wrong(f"{where}.with.kind", problem)
        if leaf.operation in COUNTING and not leaf.confirm:
            problem = f"is missing: {leaf.operation} counts, and is confirmed before it does"
            self._wrong(f"{where}.confirm", problem)
        self._identity(where, leaf, operation)
        if leaf.sms is Sms.ALWAYS and not self.profile.replies.speak_of(leaf.operation, DONE):
            problem = f"replies.toml has no words for {leaf.operation}.done"
            self._wrong(f"{where}.sms", problem, "write them there")

    def _preview(self, where: str, leaf: LeafTable) -> Operation | None:
        if not leaf.preview:
            if leaf.needs or leaf.take:
                self._wrong(where, "needs and take are of a preview, and there is none")
            return None
        if not self._known(f"{where}.preview", "operation", leaf.preview, self.operations):
            return None
        preview = self.operations[leaf.preview]
        facts = preview.outcomes[DONE]
        for name in filter(None, (leaf.needs, *(each.value for each in leaf.take))):
            self._known(where, f"fact of {leaf.preview}", name, facts)
        brings = given(self.model, leaf) - set(leaf.take)
        for argument in sorted(preview.required - brings):
            self._wrong(where, f"{leaf.preview} needs {argument.value!r}", "ask for it")
        return preview

    def _identity(self, where: str, leaf: LeafTable, operation: Operation) -> None:
        if not is_about(self.model, leaf, operation):
            return
        by = leaf.by or self.model.identify.by
        is_open = leaf.operation in self.profile.terms.policy.open_operations
        for argument in by:
            if argument not in NAMING - {Argument.CODE}:
                self._wrong(f"{where}.by", f"{argument.value!r} names no subscription")
            elif argument not in operation.optional | operation.required:
                self._wrong(f"{where}.by", f"{leaf.operation} takes no {argument.value!r}")
            else:
                self._field(f"{where}.by", argument)
        if not is_open:
            if by != (Argument.NUMBER,):
                problem = f"a right to {leaf.operation} is shown by the number and its code"
                self._wrong(f"{where}.by", problem, 'by = ["number"]')
            if not self.model.identify.code:
                self._wrong("identify.code", "is missing", f"{leaf.operation} needs a secret code")
            self._field("identify.code", Argument.CODE)

    def _condition(self, where: str, name: str, fact: str) -> None:
        if not self._known(f"{where}.operation", "operation", name, self.operations):
            return
        operation = self.operations[name]
        if operation.required:
            self._wrong(f"{where}.operation", f"{name} needs more than a subscription")
        self._known(f"{where}.fact", f"fact of {name}", fact, operation.outcomes[DONE])

    def _unused(self) -> None:
        model = self.model
        if model.start not in model.menus:
            # Nothing leads anywhere then, and that much has been said.
            return
        reached, new = set[str](), [model.start]
        while new:
            name = new.pop()
            if name not in reached and name in model.menus:
                new += [item.to for item in model.menus[name].items.values() if item.to]
            reached.add(name)
        pushed = {name for name, each in model.leaves.items() if each.pushed or each.bare}
        pushed |= {name for name, each in model.texts.items() if each.pushed}
        for table in ("menus", "leaves", "texts"):
            for name in getattr(model, table):
                if name not in reached | pushed:
                    hint = "name it in an item, or take it out"
                    self._wrong(f"{table}.{name}", "nothing leads to it", hint)
        asked = {name for leaf in model.leaves.values() for name in leaf.ask}
        for name in model.questions.keys() - asked:
            self._wrong(f"questions.{name}", "no leaf asks it")
        used = {
            item.when.removeprefix(NOT)
            for menu in model.menus.values()
            for item in menu.items.values()
        }
        for name in model.conditions.keys() - used:
            self._wrong(f"conditions.{name}", "no item has it")

    # --- whether it fits ------------------------------------------------------------------

    def check_fits(self, menu: Menu, size: PageSize) -> None:
        """Every screen whose length is known before anybody dials."""
        more = menu.option(menu.keys.more, menu.words.more)
        for each in fields(menu.words):
            word = getattr(menu.words, each.name)
            # Nobody turns the page of a last word.
            if not size.fits(word if each.name in LAST_WORDS else f"{word}\n{more}"):
                self._wrong(f"words.{each.name}", f"does not fit a page of {size.units} units")
        for name, node in menu.nodes.items():
            if isinstance(node, MenuNode):
                self._menu_fits(menu, name, node, size)
            elif isinstance(node, TextNode):
                # Nobody turns the pages of a session that has ended.
                most = 1 if node.ends else MOST_MENU_PAGES
                self._pages(f"texts.{name}.text", Content(node.text), most, more, size)
            elif node.confirm is not None:
                table = self.model.leaves[name]
                facts = confirmed_facts(self.model, table, self.operations)
                content = Content(
                    node.confirm(example_facts(facts)), (menu.option(YES, menu.words.yes),)
                )
                self._pages(f"leaves.{name}.confirm", content, MOST_QUESTION_PAGES, more, size)
        for name, question in menu.questions.items():
            content = Content(question.text)
            self._pages(f"questions.{name}.text", content, MOST_QUESTION_PAGES, more, size)
        for key in ("number", "code", "choose", "other"):
            content = Content(getattr(menu.identify, key))
            self._pages(f"identify.{key}", content, MOST_QUESTION_PAGES, more, size)

    def _menu_fits(self, menu: Menu, name: str, node: MenuNode, size: PageSize) -> None:
        more = menu.option(menu.keys.more, menu.words.more)
        options = tuple(menu.option(item.key, item.title) for item in node.items)
        for item, line in zip(node.items, options, strict=True):
            if not size.fits(f"{line}\n{more}"):
                problem = f"does not fit a line of a page of {size.units} units"
                self._wrong(f"menus.{name}.items.{item.key}.title", problem, "shorten it")
        content = Content(node.title, options)
        self._pages(f"menus.{name}", content, MOST_MENU_PAGES, more, size)

    def _pages(self, key: str, content: Content, most: int, more: str, size: PageSize) -> None:
        count = len(pages_of(content, more, size))
        if count > most:
            self._wrong(key, f"takes {count} pages of {size.units} units", f"{most} at the most")
