"""``peyk ussd push``: begin a session on a mobile's handset."""

from __future__ import annotations

import click

from core.identifiers import mobile as normal_mobile
from core.text import ascii_digits
from gateway import control
from gateway.commands.clicking import Command, as_json, misuse, pass_context
from gateway.commands.context import Context
from gateway.commands.output import print_json


@click.command(
    "push",
    cls=Command,
    epilog="peyk ussd push --to 09161234567 --line '*1522#' debt",
    short_help="Begin a session on a mobile's handset.",
)
@click.option("--to", "mobile", required=True, metavar="MOBILE", help="Whose handset.")
@click.option("--line", required=True, metavar="CODE", help="The code whose menu it is.")
@as_json
@click.argument("node")
@pass_context
def push(context: Context, mobile: str, line: str, node: str, *, as_json: bool) -> None:
    """Begin a session at a NODE of a line's menu: the screen comes up on the handset.

    A node that asks for something goes on as if the subscriber had dialled; one that only
    tells is over when it was seen. The nodes are the names in the profile's menu.toml.
    """
    with misuse():
        to = normal_mobile(mobile)
    code = ascii_digits(line)
    code = code if code.endswith("#") else f"{code}#"
    path = context.settings.daemon.control
    found = control.call(path, "push_ussd", mobile=to, line=code, node=node)
    if as_json:
        print_json(found)
    else:
        click.echo("asked" if found["asks"] else "told")
