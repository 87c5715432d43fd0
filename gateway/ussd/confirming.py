"""What a confirmation asks: a template of the figures that are about to count."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import TemplateError, TemplateSyntaxError
from jinja2.meta import find_undeclared_variables

from core.calls import Fact
from core.text import nearest_hint
from gateway.configuration import ConfigError
from gateway.replies import EXAMPLES
from gateway.sandbox import Write, environment, writer


def confirming(  # noqa: PLR0913 - where it stands and what it may say
    file: Path,
    key: str,
    source: str,
    facts: frozenset[str],
    *,
    words: Mapping[str, str],
    language: str,
) -> Write | None:
    """The template of a leaf's ``confirm``; None for ``""``, which asks nothing.

    Raises ``ConfigError`` for one that does not parse or speaks of what is not in ``facts``.
    """
    if not source:
        return None
    sandbox = environment(words, language)
    try:
        variables = find_undeclared_variables(sandbox.parse(source))
        write = writer(sandbox.from_string(source))
    except TemplateSyntaxError as error:
        problem = f"is not a valid template: line {error.lineno}: {error.message}"
        raise ConfigError(file, key, problem) from None
    for name in sorted(variables - facts):
        hint = nearest_hint(name, facts)
        raise ConfigError(file, key, f"there is no variable {name!r} here", hint)
    try:
        write(example_facts(facts))
    except (TemplateError, ValueError, TypeError) as error:
        raise ConfigError(file, key, f"cannot be filled in: {error}") from None
    return write


def example_facts(facts: frozenset[str]) -> dict[str, Fact]:
    """Figures as long as real ones."""
    return {name: EXAMPLES.get(name, "12345678") for name in facts}
