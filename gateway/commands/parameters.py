"""What reports of the utility's own ask for: ``--param``, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence

import click

from core.reporting.types import Source

PARAMETERS = click.option(
    "--param",
    "parameters",
    metavar="NAME=VALUE",
    multiple=True,
    help="What a report of the utility's own asks for; may be repeated.",
)


def parameters_of(given: Sequence[str]) -> dict[str, str]:
    """What was given, by its name. Raises ``ValueError``."""
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not (name and equals):
            raise ValueError(f"{each!r} is not NAME=VALUE")
        found[name.strip()] = value.strip()
    return found


def asks(source: Source) -> str:
    """What a report asks for: ``period from=1404/01``, the latter with its default."""
    return " ".join(
        each.name if each.default is None else f"{each.name}={each.default}"
        for each in source.parameters
    )
