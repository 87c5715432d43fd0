"""What ``peyk request`` shows: the kinds there are, requests in lists, one with its history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from core.identifiers import mobile as normal_mobile
from core.jalali import interval_ms
from core.requests.box import Message, read_box
from core.requests.browse import Listed, RequestFilter, Shown, list_requests, show_request
from core.requests.counter import check_tracking
from core.requests.documents import list_documents
from core.requests.kinds import RequestKind, Services
from core.requests.rows import Request
from core.requests.states import RequestState
from core.text import ascii_digits, harmless, nearest_hint
from gateway.commands.context import CommandError, Context
from gateway.commands.output import (
    for_people,
    for_programs,
    one_line,
    print_facts,
    print_json,
    print_table,
)
from gateway.commands.utilities import chosen, profile_of, profiles
from gateway.profiles import Profile


def show_kinds(context: Context, utility: str | None, *, as_json: bool) -> None:
    """List the kinds of requests that a utility takes."""
    services = profile_of(context, utility).terms.services
    if as_json:
        print_json([_kind_as_json(kind) for kind in services.kinds.values()])
        return
    columns = ("kind", "title", "registered by", "fields", "fee")
    print_table(columns, (_kind_row(kind) for kind in services.kinds.values()))


def criteria(  # noqa: PLR0913 - the options of a list
    context: Context,
    *,
    utility: str | None,
    kind: str | None,
    state: str | None,
    number: str | None,
    mobile: str | None,
    since: str | None,
    until: str | None,
    **others: Any,
) -> RequestFilter:
    """The options of a list as a filter. Raises ``ValueError`` for what is wrong."""
    known = profiles(context)
    if utility is not None and utility not in known:
        raise ValueError(f"no line serves {utility!r}; {nearest_hint(utility, known)}")
    kinds = {
        key
        for each in known.values()
        if utility in {None, each.utility}
        for key in each.terms.services.kinds
    }
    if kind is not None and kind not in kinds:
        raise ValueError(f"there is no kind {kind!r}; {nearest_hint(kind, kinds)}")
    start, end = interval_ms(since, until)
    return RequestFilter(
        utility=utility,
        kind=kind,
        state=state_named(state) if state else None,
        number=ascii_digits(number) if number else None,
        mobile=normal_mobile(mobile) if mobile else None,
        since=start,
        until=end,
        **others,
    )


def show_list(context: Context, wanted: RequestFilter, *, as_json: bool) -> None:
    """List requests."""
    with context.database() as database:
        rows = database.read("cli.requests", list_requests, wanted)
    if as_json:
        print_json([_as_json(row.request, row.number) for row in rows])
        return
    columns = ("tracking", "utility", "kind", "state", "subscription", "mobile", "office",
               "registered", "text")  # fmt: skip
    print_table(columns, (_row(row) for row in rows))
    if not rows:
        click.echo("no such requests", err=True)


def show_one(context: Context, tracking: str, utility: str | None, *, as_json: bool) -> None:
    """Show one request with its history and its message box. Raises ``CommandError``."""
    known = profiles(context)
    shown = find(context, known, tracking, utility)
    services = known[shown.request.utility].terms.services
    with context.database() as database:
        messages = database.read("cli.request_box", read_box, shown.request.id)
        papers = database.read("cli.request_papers", list_documents, shown.request.id)
    if as_json:
        steps = [
            {**step._asdict(), "request_id": str(step.request_id), "at": for_programs(step.at)}
            for step in shown.history
        ]
        kind = services.kinds.get(shown.request.kind)
        ahead = list(kind.steps) if kind else []
        told = {"history": steps, "steps": ahead, "messages": list(map(_message_as_json, messages))}
        files = [{"id": str(p.id), "name": p.name, "kind": p.kind, "size": p.size} for p in papers]
        print_json({**_as_json(shown.request, shown.number), **told, "papers": files})
        return
    print_facts(_facts(services, shown))
    click.echo()
    print_table(
        ("at", "state", "by", "note"),
        ((for_people(step.at), step.state, step.by, step.note) for step in shown.history),
    )
    if shown.request.text:
        click.echo(f"\n{harmless(shown.request.text)}")
    if papers:
        click.echo()
        print_table(
            ("file", "bytes", "added", "by"),
            ((p.name, p.size, for_people(p.at), p.by) for p in papers),
        )
    if messages:
        click.echo()
        print_table(
            ("at", "side", "by", "seen", "message"),
            (
                (for_people(m.at), m.side, m.by, for_people(m.seen_at), one_line(m.text, 60))
                for m in messages
            ),
        )


def state_named(name: str) -> RequestState:
    """The state of that name. Raises ``ValueError`` with the nearest one."""
    try:
        return RequestState(name.replace("-", "_"))
    except ValueError:
        raise ValueError(
            f"there is no state {name!r}; {nearest_hint(name, RequestState)}"
        ) from None


def find(
    context: Context, known: Mapping[str, Profile], tracking: str, utility: str | None
) -> Shown:
    """The one request of that number, with its history; ``known``: as ``profiles`` gives them.

    Raises ``RequestError``, ``CommandError``.
    """
    whose = [chosen(known, utility).utility] if utility else list(known)
    number = check_tracking(tracking)
    with context.database() as database:
        found = database.read("cli.request", show_request, whose, number)
    if not found:
        raise CommandError(f"there is no request {number}; `peyk request list` shows them")
    if len(found) > 1:
        several = ", ".join(each.request.utility for each in found)
        raise CommandError(f"several utilities have a request {number}: say --utility of {several}")
    return found[0]


def _row(row: Listed) -> tuple[object, ...]:
    request = row.request
    return (
        request.tracking,
        request.utility,
        request.kind,
        request.state,
        row.number,
        request.mobile,
        request.office,
        for_people(request.created_at),
        one_line(request.text, 30),
    )


def _facts(services: Services, shown: Shown) -> list[tuple[str, object]]:
    request = shown.request
    kind = services.kinds.get(request.kind)
    titles = {field.name: field.title for field in kind.fields} if kind else {}
    return [
        ("tracking", request.tracking),
        ("utility", request.utility),
        ("kind", f"{request.kind} ({services.title(request.kind)})"),
        *((f"step {place}", step) for place, step in enumerate(kind.steps if kind else (), 1)),
        ("state", f"{request.state} ({services.state_title(request.state)})"),
        ("subscription", shown.number),
        ("mobile", request.mobile),
        ("came by", request.source),
        ("office", request.office),
        ("registered", for_people(request.created_at)),
        ("changed", for_people(request.changed_at)),
        *((f"{name} ({titles.get(name, name)})", value) for name, value in request.values.items()),
        ("fee", None if request.fee is None else f"{request.fee:,} rial"),
        ("account", request.account),
        ("bill ID", request.bill_id),
        ("payment ID", request.payment_id),
        ("paid", for_people(request.paid_at)),
    ]


def _as_json(request: Request, number: str | None) -> dict[str, Any]:
    instants = ("created_at", "changed_at", "paid_at")
    ids = ("id", "subscriber_id", "inbox_id")
    values = request._asdict()
    return {
        **values,
        **{name: for_programs(values[name]) for name in instants},
        **{name: None if values[name] is None else str(values[name]) for name in ids},
        "fields": request.values,
        "subscription": number,
    }


def _message_as_json(message: Message) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "at": for_programs(message.at),
        "side": message.side,
        "by": message.by,
        "text": message.text,
        "seen_at": for_programs(message.seen_at),
    }


def _kind_row(kind: RequestKind) -> tuple[object, ...]:
    doors = ", ".join(sorted(kind.doors)) or f"answered by {', '.join(kind.answered_by)}"
    fields = ", ".join(each.name + ("" if each.required else "?") for each in kind.fields)
    return (kind.key, kind.title, doors, fields or None, kind.fee.value)


def _kind_as_json(kind: RequestKind) -> dict[str, Any]:
    return {
        "kind": kind.key,
        "title": kind.title,
        "sources": list(kind.sources),
        "doors": sorted(kind.doors),
        "about": kind.about,
        "words": kind.words,
        "fields": [
            {
                "name": each.name,
                "title": each.title,
                "type": each.type,
                "required": each.required,
                "choices": list(each.choices),
            }
            for each in kind.fields
        ],
        "documents": list(kind.documents),
        "agreement": kind.agreement or None,
        "steps": list(kind.steps),
        "fee": kind.fee,
        "fee_amount": kind.fee_amount,
        "states": list(kind.states),
        "answered_by": list(kind.answered_by),
    }
