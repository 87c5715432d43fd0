"""A profile's ``menu.toml`` and ``menu.en.toml``, read, checked and made into ``Menus``.

Every mistake is a ``ConfigError`` with its file and key: the first one is raised, or all are
noted in ``Findings`` for ``peyk ussd check``. What a menu is made of is in docs/ussd.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from core.calls import DONE, Argument
from core.operations import Operation
from core.operations.operation import IDENTITY_OUTCOMES
from gateway.configuration import ConfigError, as_model, read_toml
from gateway.findings import Findings
from gateway.languages import OWN, Spoken, load_languages
from gateway.profiles import Profile
from gateway.replies import COMMON, WORDS, Replies, load_replies
from gateway.rules.scan import ENGLISH
from gateway.ussd.confirming import confirming
from gateway.ussd.menu import (
    ASKS_AGAIN,
    SIGN_IN,
    TEXTED,
    Condition,
    Leaf,
    Menu,
    MenuNode,
    Menus,
    Node,
    Question,
)
from gateway.ussd.menu_check import Checker
from gateway.ussd.menu_model import LeafTable, MenuFile, confirmed_facts, is_about, translated
from gateway.ussd.pages import PageSize

MOST_PAGES: Final = 6
"""Of what came of an operation."""
HINTS: Final = 14
"""Units that a page needs for its hints, at the most."""


def has_menu(directory: Path) -> bool:
    """Whether a profile can be dialled."""
    return (directory / "menu.toml").is_file()


def load_menu(
    directory: Path,
    profile: Profile,
    operations: Mapping[str, Operation],
    findings: Findings | None = None,
    size: PageSize | None = None,
) -> Menus:
    """The menu of the profile in ``directory``, in each of its languages.

    Raises ``ConfigError`` for the first mistake; with ``findings`` that keep all, only for one
    that nothing can be read beyond. ``size`` is what its screens have to fit.
    """
    findings = findings or Findings()
    file = directory / "menu.toml"
    tables = read_toml(file)
    spoken = load_languages(directory, profile.grammar.fields, profile.grammar.patterns)
    loader = _Loader(profile, operations, findings, size or PageSize())
    made = {OWN: loader.made(file, tables, OWN, spoken[OWN])}
    other = directory / "menu.en.toml"
    if other.is_file():
        if ENGLISH not in spoken:
            raise ConfigError(other, "", "there is no replies.en.toml beside it", "write it first")
        words = translated(other, tables, read_toml(other), findings)
        made[ENGLISH] = loader.made(other, words, ENGLISH, spoken[ENGLISH])
    else:
        for name, node in made[OWN].nodes.items():
            for item in node.items if isinstance(node, MenuNode) else ():
                if item.language == ENGLISH:
                    key = f"menus.{name}.items.{item.key}.language"
                    problem = "there is no menu.en.toml"
                    findings.add(ConfigError(file, key, problem, "write it, or take the item out"))
    return Menus(made)


@dataclass(frozen=True)
class _Loader:
    profile: Profile
    operations: Mapping[str, Operation]
    findings: Findings
    size: PageSize

    def made(self, file: Path, tables: dict[str, Any], language: str, spoken: Spoken) -> Menu:
        """The menu in one language, checked."""
        model = as_model(file, tables, MenuFile)
        checker = Checker(file, model, self.profile, self.operations, self.findings)
        if language == OWN:
            # Whatever is no word is the same in every language.
            checker.check()
        grammar = self.profile.grammar
        used = self._used(model)
        menu = Menu(
            start=model.start,
            keys=model.keys.made(),
            nodes=self._nodes(file, model, language, spoken),
            questions={
                name: Question(each.arguments, each.text, each.retry)
                for name, each in model.questions.items()
            },
            conditions={
                name: Condition(each.operation, each.fact)
                for name, each in model.conditions.items()
            },
            identify=model.identify.made(),
            words=model.words.made(),
            replies=self._replies(file, model, language, spoken),
            fields=grammar.fields,
            wording=grammar.other_wordings.get(language, grammar.wording),
            accepts={name: one.required | one.optional for name, one in used.items()},
            language=language,
        )
        checker.check_fits(menu, self.size)
        return menu

    def _used(self, model: MenuFile) -> dict[str, Operation]:
        """The operations that the menu comes to."""
        names = {leaf.operation for leaf in model.leaves.values()}
        names |= {leaf.preview for leaf in model.leaves.values()}
        names |= {each.operation for each in model.conditions.values()}
        return {name: self.operations[name] for name in sorted(names) if name in self.operations}

    def _nodes(self, file: Path, model: MenuFile, language: str, spoken: Spoken) -> dict[str, Node]:
        nodes: dict[str, Node] = {
            name: MenuNode(each.title, tuple(item.made(key) for key, item in each.items.items()))
            for name, each in model.menus.items()
        }
        nodes.update((name, each.made()) for name, each in model.texts.items())
        for name, table in model.leaves.items():
            if table.operation in self.operations:
                leaf = self._leaf(model, table)
                with self.findings.noting():
                    key = f"leaves.{name}.confirm"
                    facts = confirmed_facts(model, table, self.operations)
                    write = confirming(
                        file,
                        key,
                        table.confirm,
                        facts,
                        words=spoken.tables.get(WORDS, {}),
                        language=language,
                    )
                    leaf = replace(leaf, confirm=write)
                nodes[name] = leaf
        return nodes

    def _leaf(self, model: MenuFile, table: LeafTable) -> Leaf:
        operation = self.operations[table.operation]
        by = table.by or model.identify.by
        about = is_about(model, table, operation)
        return Leaf(
            operation=table.operation,
            fixed=table.fixed,
            ask=table.ask,
            about=about,
            by=by,
            proven=about and table.operation not in self.profile.terms.policy.open_operations,
            preview=table.preview,
            needs=table.needs,
            take=table.take,
            sms=table.sms,
            ends=table.ends,
            bare=table.bare,
        )

    def _replies(self, file: Path, model: MenuFile, language: str, spoken: Spoken) -> Replies:
        """The words of outcomes: those of the menu, be it for all operations, and else of texts."""
        speaking = {name for name in self._used(model) if name not in _asked_only(model)}
        kept = speaking | {COMMON, WORDS}
        tables: dict[str, Any] = {k: v for k, v in spoken.tables.items() if k in kept}
        everywhere = model.screens.get(COMMON, {})
        for name in speaking:
            if isinstance(texted := tables.get(name), dict):
                tables[name] = {k: v for k, v in texted.items() if k not in everywhere}
        for name, kinds in model.screens.items():
            tables[name] = {**tables.get(name, {}), **kinds}
        known = {name: _texted(each.outcomes) for name, each in self.operations.items()}
        known[SIGN_IN] = _texted(
            {kind: facts for kind, facts in IDENTITY_OUTCOMES.items() if kind != DONE}
        )
        if language == OWN:
            for name in sorted(speaking):
                for kind in sorted(ASKS_AGAIN & known[name].keys()):
                    if kind not in model.screens.get(name, {}):
                        key = f"screens.{name}.{kind}"
                        problem = "is missing: the reply to a text asks for the same text again"
                        self.findings.add(ConfigError(file, key, problem))
        longest = MOST_PAGES * max(self.size.units - HINTS, 1)
        return load_replies(
            file,
            tables,
            {name: known[name] for name in (*sorted(speaking), SIGN_IN)},
            known,
            self._examples(),
            language=language,
            columns={name: each.rows for name, each in self.operations.items()},
            findings=Findings(self.findings.keeps_all, longest, self.findings.found),
        )

    def _examples(self) -> dict[str, str]:
        number = self.profile.grammar.fields.get(Argument.NUMBER)
        return {"number": "1" * (number.longest if number else 8)}


def _asked_only(model: MenuFile) -> set[str]:
    """Operations that only conditions ask: their outcomes are shown to nobody."""
    spoken = {leaf.operation for leaf in model.leaves.values()}
    spoken |= {leaf.preview for leaf in model.leaves.values()}
    return {each.operation for each in model.conditions.values()} - spoken


def _texted(outcomes: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    return {kind: facts | {TEXTED} for kind, facts in outcomes.items()}
