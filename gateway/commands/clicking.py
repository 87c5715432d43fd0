"""What the declarations of commands share: their kind, and the options that several take."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from keyword import iskeyword
from typing import Any, Protocol, TypeVar

import click

from gateway.commands.context import Context

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

MISUSED = 2
"""The exit code of a command that was called or configured wrongly."""
MOST_ROWS = 1_000_000


class _Id(click.IntRange):
    """An id as lists show it."""

    name = "id; lists show them"


ID = _Id(1, 2**63 - 1)


class Decorator(Protocol):
    """Adds options to a command, and gives the command back."""

    def __call__(self, command: Decorated, /) -> Decorated:
        """The command."""


class Command(click.Command):
    """A command whose epilog is an example: on a line of its own, to be copied whole."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the example without folding it."""
        if self.epilog:
            with formatter.section("Example"):
                formatter.write(f"{'':>{formatter.current_indent}}{self.epilog}\n")


class Group(Command, click.Group):
    """Commands of that kind. Called without one, it says which there are."""

    command_class = Command
    group_class = type

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the arguments; without any, print the help and end as misused."""
        if not args:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(MISUSED)
        return super().parse_args(ctx, args)


class Imported(Mapping[str, click.Command]):
    """Commands of a group, by name; each is imported when it is called, or explained."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        """``modules``: each command's, in ``gateway.commands``.

        It is called there as it is here, with an underscore behind a word of Python's.
        """
        self._modules = modules

    def __getitem__(self, name: str) -> click.Command:
        module = import_module(f"gateway.commands.{self._modules[name]}")
        command = getattr(module, f"{name}_" if iskeyword(name) else name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{name} of {module.__name__} is no command")
        return command

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


def options(*each: Decorator) -> Decorator:
    """Several options as one decorator; the help lists them in this order."""

    def decorate(command: Decorated) -> Decorated:
        for option in reversed(each):
            command = option(command)
        return command

    return decorate


def limit(default: int | None) -> Decorator:
    """How many rows a command is about at most."""
    return click.option(
        "--limit",
        type=click.IntRange(1, MOST_ROWS),
        metavar="COUNT",
        default=default,
        show_default=True,
        help="At most so many.",
    )


@contextmanager
def misuse() -> Iterator[None]:
    """Whatever ``ValueError`` comes up within is the caller's mistake: exit code 2."""
    try:
        yield
    except ValueError as error:
        raise click.UsageError(str(error)) from None


pass_context = click.make_pass_decorator(Context)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
by = click.option("--by", default=getpass.getuser, metavar="NAME", help="Who does it; else you.")
days = options(
    click.option("--from", "since", metavar="DATE", help="First day, 1404/05/03 or ISO."),
    click.option("--to", "until", metavar="DATE", help="Last day."),
)
