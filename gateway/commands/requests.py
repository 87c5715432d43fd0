"""``peyk request``: what counter offices and the utility's staff do with requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from core.requests.box import Side
from core.requests.counter import NewRequest
from gateway.commands.clicking import Group, as_json, by, days, limit, misuse, pass_context
from gateway.commands.context import Context
from gateway.commands.request_changes import (
    Which,
    attach_file,
    change_state,
    edit_request,
    new_request,
    tell_fee,
    write_message,
)
from gateway.commands.request_lists import criteria, show_kinds, show_list, show_one


@click.group(cls=Group, epilog="peyk request list --state registered")
def request() -> None:
    """Requests of subscribers and counter offices: register, look up, edit, decide, price."""


_UTILITY = click.option("--utility", metavar="NAME", help="Where lines serve several.")
_FIELD = click.option(
    "--field", "fields", multiple=True, metavar="NAME=VALUE", help="A field of the kind; again."
)


@request.command("kinds", epilog="peyk request kinds --utility lorestan-water")
@_UTILITY
@as_json
@pass_context
def request_kinds(context: Context, *, utility: str | None, as_json: bool) -> None:
    """List what may be asked for: who may, with which fields (? may be left out), the fee."""
    show_kinds(context, utility, as_json=as_json)


@request.command("new", epilog="peyk request new meter_test --number 10000001 --text 'کنتور می‌زند'")
@click.argument("kind", metavar="KIND")
@_UTILITY
@click.option("--number", default="", help="The subscription that it is about.")
@click.option("--mobile", default="", help="Whom to tell.")
@_FIELD
@click.option("--office", default="", metavar="NAME", help="The counter office that takes it.")
@click.option("--text", default="", help="What it is about, in words.")
@by
@pass_context
def request_new(
    context: Context, /, *, utility: str | None, by: str, fields: tuple[str, ...], **options: Any
) -> None:
    """Register a request at a counter and print its tracking number."""
    new = NewRequest(**options)
    with misuse():
        new_request(context, utility, by, fields, new)


@request.command("list", epilog="peyk request list --kind meter_test --state registered")
@click.option("--utility", metavar="NAME", help="Only this utility's.")
@click.option("--kind", help="Only this kind.")
@click.option("--state", help="Only in this state.")
@click.option("--number", help="Only about this subscription.")
@click.option("--mobile", help="Only those that this mobile is told of.")
@click.option("--office", help="Only of this counter office.")
@click.option("--editable", is_flag=True, help="Only those that may still be edited.")
@days
@limit(50)
@as_json
@pass_context
def request_list(context: Context, /, *, as_json: bool, **options: Any) -> None:
    """List requests, the newest first."""
    with misuse():
        wanted = criteria(context, **options)
    show_list(context, wanted, as_json=as_json)


@request.command("show", epilog="peyk request show 10000004")
@click.argument("tracking", metavar="TRACKING")
@_UTILITY
@as_json
@pass_context
def request_show(context: Context, tracking: str, *, utility: str | None, as_json: bool) -> None:
    """Show a request with its fields, its history and its message box."""
    show_one(context, tracking, utility, as_json=as_json)


@request.command("state", epilog="peyk request state 10000004 in_review --note 'ارسال به امور'")
@click.argument("tracking", metavar="TRACKING")
@click.argument("state", metavar="STATE")
@click.option("--note", default="", help="Why, in words for who asked.")
@_UTILITY
@by
@pass_context
def request_state(context: Context, /, state: str, note: str, **which: Any) -> None:
    """Put a request into another state (docs/requests.md says which may follow)."""
    with misuse():
        change_state(context, Which(**which), state, note)


@request.command("edit", epilog="peyk request edit 10000004 --field units=2")
@click.argument("tracking", metavar="TRACKING")
@_FIELD
@click.option("--text", help="What it is about, in words.")
@click.option("--mobile", help="Whom to tell; '' for nobody.")
@_UTILITY
@by
@pass_context
def request_edit(
    context: Context,
    /,
    *,
    fields: tuple[str, ...],
    text: str | None,
    mobile: str | None,
    **which: Any,
) -> None:
    """Change what was filled in, while the company is not yet at work on it."""
    with misuse():
        edit_request(context, Which(**which), fields, text, mobile)


@request.command(
    "write", epilog="peyk request write 10000004 --side utility 'تصویر سند را بفرستید'"
)
@click.argument("tracking", metavar="TRACKING")
@click.argument("text", metavar="TEXT")
@click.option(
    "--side",
    type=click.Choice([each.value for each in Side]),
    required=True,
    help="Who writes: the office, the utility.",
)
@_UTILITY
@by
@pass_context
def request_write(context: Context, /, text: str, side: str, **which: Any) -> None:
    """Write into the message box of a request that a counter office registered."""
    write_message(context, Which(**which), Side(side), text)


@request.command("attach", epilog="peyk request attach 10000004 id-card.pdf")
@click.argument("tracking", metavar="TRACKING")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_UTILITY
@by
@pass_context
def request_attach(context: Context, /, file: Path, **which: Any) -> None:
    """Keep a paper (PDF, JPEG, PNG) with a request that may still be edited; the same one once."""
    attach_file(context, Which(**which), file)


@request.command("fee", epilog="peyk request fee 10000004 2500000")
@click.argument("tracking", metavar="TRACKING")
@click.argument("amount", metavar="[AMOUNT]", type=click.IntRange(1, 10**12), required=False)
@click.option("--account", default="", help="Where it is paid to, if not the usual account.")
@click.option("--announce-only", is_flag=True, help="Tell the fee; issue no voucher yet.")
@_UTILITY
@by
@pass_context
def request_fee(
    context: Context, /, amount: int | None, account: str, *, announce_only: bool, **which: Any
) -> None:
    """Issue a request's voucher: AMOUNT rial, or the fee that is known."""
    about = Which(**which)
    with misuse():
        tell_fee(context, about, amount, account, announce_only=announce_only)
