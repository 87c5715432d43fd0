"""What ``peyk request`` does to requests: registers, edits, decides, prices them.

Every one of these raises ``RequestError`` too, for what cannot be done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import click

from core.ids import ids_for_command
from core.requests.box import Side, Writing, write
from core.requests.changes import announce_fee, edit, issue_voucher, move
from core.requests.counter import Counter, NewRequest, register
from core.requests.documents import MOST_BYTES, add_document
from core.requests.kinds import Services
from core.requests.rows import Request
from core.text import ascii_digits
from gateway.commands.context import CommandError, Context, now_ms
from gateway.commands.request_lists import find, state_named
from gateway.commands.utilities import profile_of, profiles
from gateway.profiles import Profile


class Which(NamedTuple):
    """The request that a command is about, and who gives it."""

    tracking: str
    utility: str | None
    by: str


_Work: TypeAlias = Callable[[Any, Counter, str], Request]
"""What is done in a transaction with a tracking number."""


def new_request(
    context: Context, utility: str | None, by: str, fields: Iterable[str], new: NewRequest
) -> None:
    """Register a request and print its tracking number. Raises ``CommandError``."""
    new = new._replace(fields=_fields(fields), number=ascii_digits(new.number))
    counter = _counter(profile_of(context, utility), by)
    with context.database() as database:
        request = database.transact("cli.request_new", register, counter, new)
    _say(counter.services, request)
    kind = counter.services.kinds[request.kind]
    for document in kind.documents:
        click.echo(f"to be brought: {document}")


def change_state(context: Context, which: Which, state: str, note: str) -> None:
    """Put a request into another state. Raises ``CommandError``, ``ValueError``."""
    new = state_named(state)
    _change(context, which, lambda connection, counter, number: move(
        connection, counter, number, new, note
    ))  # fmt: skip


def edit_request(
    context: Context,
    which: Which,
    fields: Sequence[str],
    text: str | None,
    mobile: str | None = None,
) -> None:
    """Change what was filled in. Raises ``CommandError``, ``ValueError``."""
    values = _fields(fields)
    if not values and text is None and mobile is None:
        raise ValueError("say what to change: --field NAME=VALUE, --text or --mobile")
    _change(context, which, lambda connection, counter, number: edit(
        connection, counter, number, values, text, mobile=mobile
    ))  # fmt: skip


def write_message(context: Context, which: Which, side: Side, text: str) -> None:
    """Write into a request's message box. Raises ``CommandError``."""
    request, counter = _at_work(context, which)
    with context.database() as database:
        database.transact(
            "cli.request_write", write, counter, request.tracking, Writing(side, text)
        )
    click.echo(f"{request.tracking}: written to the {side.other.value}")


def attach_file(context: Context, which: Which, file: Path) -> None:
    """Keep a paper with a request. Raises ``CommandError``."""
    request, counter = _at_work(context, which)
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    if len(content) > MOST_BYTES:
        raise CommandError(f"{file} is too large: at most {MOST_BYTES:,} bytes are taken")
    with context.database() as database:
        document = database.transact(
            "cli.request_attach", add_document, counter, request.tracking, file.name, content
        )
    click.echo(f"{request.tracking}: {document.name} ({document.kind}, {document.size:,} bytes)")


def tell_fee(
    context: Context, which: Which, amount: int | None, account: str, *, announce_only: bool
) -> None:
    """Issue a request's voucher, or only tell its fee. Raises ``CommandError``, ``ValueError``."""
    if not announce_only:
        _change(context, which, lambda connection, counter, number: issue_voucher(
            connection, counter, number, amount, account
        ))  # fmt: skip
        return
    if amount is None:
        raise ValueError("say the amount that is to be announced")
    _change(context, which, lambda connection, counter, number: announce_fee(
        connection, counter, number, amount
    ))  # fmt: skip


def _at_work(context: Context, which: Which) -> tuple[Request, Counter]:
    """The request, and who works on it now. Raises ``CommandError``."""
    known = profiles(context)
    request = find(context, known, which.tracking, which.utility).request
    return request, _counter(known[request.utility], which.by)


def _counter(profile: Profile, by: str) -> Counter:
    now = now_ms()
    ids = ids_for_command(now_ms)
    return Counter(profile.utility, profile.terms.services, ids, by, now)


def _fields(given: Iterable[str]) -> dict[str, str]:
    values = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise ValueError(f"--field {each!r} is not NAME=VALUE")
        values[name.strip()] = value
    return values


def _change(context: Context, which: Which, work: _Work) -> None:
    request, counter = _at_work(context, which)
    with context.database() as database:
        changed = database.transact("cli.request", work, counter, request.tracking)
    _say(counter.services, changed)


def _say(services: Services, request: Request) -> None:
    title = services.title(request.kind)
    click.echo(f"{request.tracking}: {title} ({request.kind}), {request.state}")
    if request.fee is not None:
        voucher = f"account {request.account}, bill ID {request.bill_id}, payment ID "
        ids = f"; {voucher}{request.payment_id}" if request.payment_id else ""
        click.echo(f"fee {request.fee:,} rial{ids}")
