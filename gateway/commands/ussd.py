"""``peyk ussd``: a handset in the terminal, and what else is about codes that are dialled."""

from __future__ import annotations

import click

from core.identifiers import mobile as normal_mobile
from core.text import ascii_digits
from gateway.commands.clicking import Group, as_json, misuse, pass_context
from gateway.commands.context import Context
from gateway.commands.dialling import Script, dial_code
from gateway.commands.ussd_check import ussd_check
from gateway.commands.ussd_push import push

_HELP = ("-h", "--help")


class DialGroup(Group):
    """A group that dials when what follows is none of its commands."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the word ``dial`` before what is no command."""
        if args and args[0] not in (*self.commands, *_HELP):
            args = ["dial", *args]
        return super().parse_args(ctx, args)


@click.group(cls=DialGroup, epilog="peyk ussd --from 09161234567 '*1522#'")
def ussd() -> None:
    """Dial a code as a subscriber would, in this terminal.

    Without one of the commands below it dials: `peyk ussd dial --help` has the options.
    """


@ussd.command(
    "dial",
    epilog="peyk ussd dial --from 09161234567 --script 2,1 '*1522#'",
    short_help="Dial a code; the word dial may be left out.",
)
@click.option("--from", "mobile", required=True, metavar="MOBILE", help="Who dials.")
@click.option(
    "--script",
    metavar="ANSWERS",
    help="Type these, one a screen, with commas between them, and then hang up.",
)
@click.option(
    "--wait",
    type=click.FloatRange(0),
    metavar="SECONDS",
    default=10,
    show_default=True,
    help="How long to wait for each screen.",
)
@as_json
@click.argument("code")
@pass_context
def dial(  # noqa: PLR0913 - its options
    context: Context, mobile: str, script: str | None, wait: float, code: str, *, as_json: bool
) -> None:
    """Dial a code (*1522#) or a whole path (*1522*2*1#) through the simulated operator.

    Shows each screen and asks for what to type; an empty line hangs up. Texts that come to
    the mobile meanwhile are shown too. With --json the whole session is printed when it is
    over: screens, what was typed, texts, and how it ended (last, aborted).
    """
    with misuse():
        answers = Script.of(script) if script is not None else None
        dial_code(
            context, normal_mobile(mobile), ascii_digits(code), answers, wait, as_json=as_json
        )


ussd.add_command(ussd_check)
ussd.add_command(push)
