"""How received and sent messages are shown: as lists, and one message part by part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from core.attempts import Attempt
from core.box_filters import InboxFilter, OutboxFilter
from core.browse import Message, Received, list_inbox, list_outbox
from core.code_words import Words, receipt_in_words, refusal_in_words
from core.state_groups import ENGLISH, PERSIAN
from core.text import harmless
from core.told import show_with_history
from gateway.commands.context import CommandError, Context
from gateway.commands.output import (
    for_people,
    for_programs,
    one_line,
    print_facts,
    print_json,
    print_table,
)

_INSTANTS = frozenset(
    {"received_at", "created_at", "changed_at", "over_at", "due_at", "expires_at", "accepted_at"}
)
_IDS = frozenset({"id", "reply_id", "inbox_id", "run_id"})


def show_inbox(context: Context, wanted: InboxFilter, *, as_json: bool) -> None:
    """List received messages."""
    with context.database() as database:
        rows = database.read("cli.inbox", list_inbox, wanted)
    if as_json:
        print_json([_plain(row._asdict()) for row in rows])
        return
    columns = ("id", "received", "mobile", "line", "subscription", "did", "text", "reply")
    print_table(columns, (_inbox_row(row) for row in rows), texts=("text", "reply"))
    _say_if_none(rows)


def show_list(context: Context, wanted: OutboxFilter, *, as_json: bool) -> None:
    """List messages sent or to be sent."""
    with context.database() as database:
        rows = database.read("cli.outbox", list_outbox, wanted)
    if as_json:
        print_json([_message_as_json(row) for row in rows])
        return
    columns = ("id", "created", "mobile", "line", "subscription", "state", "tried", "text")
    print_table(columns, (_outbox_row(row) for row in rows), texts=("text",))
    _say_if_none(rows)


def show_one(context: Context, message_id: int, *, as_json: bool) -> None:
    """Show one message with its parts."""
    with context.database() as database:
        found = database.read("cli.outbox_show", show_with_history, message_id)
    if found is None:
        raise CommandError(f"there is no message {message_id}; `peyk outbox list` shows the ids")
    message, history = found
    if as_json:
        attempts = [_attempt_as_json(*each) for each in history]
        print_json({**_message_as_json(message), "history": attempts})
        return
    print_facts(_facts(message))
    click.echo()
    columns = ("part", "state", "tried", "due", "changed", "operator", "its id", "code", "error")
    print_table(columns, (_part_row(part) for part in message.parts), texts=("error",))
    if history:
        click.echo()
        print_table(
            ("part", "at", "operator", "its id", "result", "what it means"),
            (_attempt_row(*each) for each in history),
            texts=("what it means",),
        )
    click.echo(f"\n{harmless(message.text)}")


def _attempt_row(part: int, attempt: Attempt) -> tuple[object, ...]:
    words = _meaning(attempt)
    return (
        part,
        for_people(attempt.at),
        attempt.smsc or None,
        attempt.smsc_id,
        attempt.result,
        words and words.english,
    )


def _attempt_as_json(part: int, attempt: Attempt) -> dict[str, Any]:
    words = _meaning(attempt)
    values = {**attempt._asdict(), "part": part, "at": for_programs(attempt.at)}
    del values["outbox_id"]
    return {**values, "english": words and words.english, "persian": words and words.persian}


def _meaning(attempt: Attempt) -> Words | None:
    if attempt.error:
        return receipt_in_words(attempt.error)
    return refusal_in_words(attempt.code) if attempt.code else None


def _inbox_row(row: Received) -> tuple[object, ...]:
    did = f"{row.operation}: {row.outcome}" if row.operation else row.state
    reply = one_line(row.reply) if row.reply else row.error
    return (
        row.id,
        for_people(row.received_at),
        row.mobile,
        row.line,
        row.subscription,
        did,
        one_line(row.text, 30),
        reply,
    )


def _outbox_row(row: Message) -> tuple[object, ...]:
    return (
        row.id,
        for_people(row.created_at),
        row.mobile,
        row.line,
        row.subscription,
        row.state,
        row.attempts,
        one_line(row.text),
    )


def _facts(message: Message) -> list[tuple[str, object]]:
    return [
        ("message", message.id),
        ("state", f"{message.state} ({ENGLISH[message.group]}, {PERSIAN[message.group]})"),
        ("mobile", message.mobile),
        ("line", message.line),
        ("subscription", message.subscription),
        ("created", for_people(message.created_at)),
        ("expires", for_people(message.expires_at)),
        ("answers", message.inbox_id),
        ("template", message.template),
        ("campaign", message.run_id),
    ]


def _part_row(part: Any) -> tuple[object, ...]:
    return (
        part.part,
        part.state,
        f"{part.attempts} of {part.max_attempts}",
        for_people(part.due_at),
        for_people(part.changed_at),
        part.smsc,
        part.smsc_id,
        part.code,
        part.error,
    )


def _message_as_json(message: Message) -> dict[str, Any]:
    values = {**message._asdict(), "state": message.state, "text": message.text}
    values["attempts"] = message.attempts
    values["group"] = message.group.value
    values["parts"] = [_plain(part._asdict()) for part in message.parts]
    return _plain(values)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Instants in ISO; ids as text, since many readers of JSON keep 53 bits of a number."""
    found = dict(values)
    for key in _INSTANTS & values.keys():
        found[key] = for_programs(values[key])
    for key in _IDS & values.keys():
        found[key] = None if values[key] is None else str(values[key])
    return found


def _say_if_none(rows: Sequence[object]) -> None:
    if not rows:
        click.echo("no such messages", err=True)
