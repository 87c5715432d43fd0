"""Dialling from a terminal: screens as they come, answers by hand or from a script."""

from __future__ import annotations

from collections import deque
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import click

from gateway.commands.context import CommandError, Context
from gateway.commands.handset import framed
from gateway.commands.output import isolated, print_json
from gateway.smpp import smsc_control
from gateway.smpp.smsc_control import End, Screen, SmscError, Text


@dataclass
class Script:
    """Answers that are typed by themselves."""

    left: deque[str]

    @classmethod
    def of(cls, given: str) -> Script:
        """Read ``2,1``. Raises ``ValueError`` for an answer that is empty."""
        answers = [each.strip() for each in given.split(",")] if given.strip() else []
        if not all(answers):
            raise ValueError(f"--script {given}: write answers with commas between them, as 2,1")
        return cls(deque(answers))

    def next(self) -> str | None:
        """What to type now; None once all has been typed."""
        return self.left.popleft() if self.left else None


@dataclass
class _Record:
    """A session as ``--json`` prints it."""

    screens: list[dict[str, Any]] = field(default_factory=list)
    texts: list[dict[str, str]] = field(default_factory=list)
    end: str = ""


def dial_code(  # noqa: PLR0913 - the options of a command
    context: Context, mobile: str, code: str, script: Script | None, wait: float, *, as_json: bool
) -> None:
    """Dial, and go on until the session ends. Raises ``CommandError``."""
    record = _Record()
    call = smsc_control.dial(str(context.smsc.control), mobile, code, wait)
    try:
        with closing(call):
            told = next(call)
            while not isinstance(told, End):
                typed = _show(told, script, record, as_json=as_json)
                told = call.send(typed)
            record.end = told.why
    except SmscError as error:
        raise CommandError(_what_to_do(error, code)) from None
    if as_json:
        print_json({"mobile": mobile, "code": code, **vars(record)})
    _complain(record.end, script, wait)


def _show(
    told: Screen | Text, script: Script | None, record: _Record, *, as_json: bool
) -> str | None:
    """Show what came; return what is typed into it, None to hang up."""
    if isinstance(told, Text):
        record.texts.append({"line": told.line, "text": told.text})
        if not as_json:
            click.echo(f"SMS from {told.line}:")
            click.echo("\n".join(isolated(line) for line in told.text.split("\n")))
        return None
    if not as_json:
        click.echo("\n".join(framed(told.text)))
    typed = _typed(script) if told.asks else None
    if typed is not None and script is not None and not as_json:
        click.echo(f"> {typed}")
    record.screens.append({"text": told.text, "asks": told.asks, "typed": typed})
    return typed


def _typed(script: Script | None) -> str | None:
    if script is not None:
        return script.next()
    given: str = click.prompt(">", default="", show_default=False, prompt_suffix=" ", err=True)
    return given.strip() or None


def _complain(end: str, script: Script | None, wait: float) -> None:
    match end:
        case smsc_control.NO_SCREEN:
            raise CommandError(f"no screen within {wait:g} s; see `peyk health` and the log")
        case "timeout":
            raise CommandError("the network ended the session: nothing came for too long")
    if script is not None and script.left:
        left = ",".join(script.left)
        raise CommandError(f"the session was over before {left} could be typed")


def _what_to_do(error: SmscError, code: str) -> str:
    match error.code:
        case "not_running":
            return "the simulated operator is not running; start it with `peyk smsc`"
        case "no_esme_bound":
            return (
                f"no daemon is bound to the operator for {code}; "
                "start it with `peyk run`, or see `peyk health`"
            )
        case _:
            return str(error)
