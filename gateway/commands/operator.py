"""``peyk smsc`` and ``peyk sms``: the simulated operator and its handsets."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

import click

from core.identifiers import mobile as normal_mobile
from core.text import ascii_digits, nearest_hint
from gateway import logs
from gateway.commands.clicking import Command, misuse, pass_context
from gateway.commands.context import CommandError, Context
from gateway.commands.output import isolated
from gateway.smpp import smsc_control
from gateway.smpp.handsets import Faults
from gateway.smpp.smsc_control import SmscError

_FIGURE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
START_SECONDS = 15.0
LOOK_SECONDS = 0.1


@click.command(
    cls=Command,
    epilog="peyk sms --from 09131234567 --to 100034122 '010*10000001*4321'",
    short_help="Text a line as a subscriber would.",
)
@click.option("--from", "mobile", required=True, metavar="MOBILE", help="Who sends it.")
@click.option("--to", "line", required=True, metavar="LINE", help="The number it is sent to.")
@click.option(
    "--wait",
    type=click.FloatRange(0),
    metavar="SECONDS",
    default=10,
    show_default=True,
    help="How long to wait for the answer.",
)
@click.argument("text")
@pass_context
def sms(context: Context, mobile: str, line: str, text: str, wait: float) -> None:
    """Text a line as a subscriber would, through the simulated operator.

    Prints what comes back.
    """
    with misuse():
        send_sms(context, mobile, line, text, wait)


@click.command(
    cls=Command, epilog="peyk smsc --background", short_help="Run the simulated operator."
)
@click.option("--background", is_flag=True, help="Return once it answers; it goes on by itself.")
@click.option("--stop", is_flag=True, help="Stop the one that is running.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME=FIGURE",
    help="Have the one that is running throttle, refuse, refuse_status, drop, delay, "
    "close_after, refuse_binds or be silent; NAME=off ends it. May be given several times.",
)
@pass_context
def smsc(context: Context, *, background: bool, stop: bool, faults: tuple[str, ...]) -> None:
    """Run the simulated operator: an SMPP server with subscribers' handsets.

    It can misbehave: --fault throttle=10 answers ten messages with "throttled", --fault
    delay=2 answers each two seconds late, --fault close_after=5 cuts the connection.
    """
    if stop:
        stop_operator(context)
    elif faults:
        with misuse():
            set_faults(context, faults)
    elif background:
        start_operator(context)
    else:
        run_operator(context)


# --- being the operator, and steering it --------------------------------------------


def run_operator(context: Context) -> None:
    """Be the operator in the foreground."""
    from gateway.operator import run  # noqa: PLC0415 - brings the reactor in

    logs.configure(context.settings.daemon.log_level, context.settings.daemon.log_format)
    logs.bridge_twisted()
    run(context.smsc)


def start_operator(context: Context) -> None:
    """Start the operator as a process of its own and wait until it answers.

    It belongs to no terminal, so that the Ctrl-C which stops a daemon leaves it running.
    """
    socket = str(context.smsc.control)
    if _answers(socket):
        click.echo("the simulated operator is running already")
        return
    log = context.settings.daemon.data / "smsc.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "cli", "--config", str(context.config.absolute()), "smsc"]
    with log.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
        )
    deadline = time.monotonic() + START_SECONDS
    while not _answers(socket):
        if process.poll() is not None:
            raise CommandError(_last_line(log.read_text(encoding="utf-8")))
        if time.monotonic() > deadline:
            raise CommandError(f"the simulated operator does not answer; its log is {log}")
        time.sleep(LOOK_SECONDS)
    process.returncode = 0  # it is nobody's child from now on
    host = f"{context.smsc.host}:{context.smsc.port}"
    click.echo(f"the simulated operator listens on {host}; its log is {log}")


def stop_operator(context: Context) -> None:
    """Stop the operator."""
    smsc_control.stop(str(context.smsc.control))
    click.echo("the simulated operator is stopped")


def set_faults(context: Context, given: Sequence[str]) -> None:
    """Have the operator misbehave: each of ``given`` is such as ``throttle=10`` or ``delay=off``.

    Raises ``ValueError`` for a fault that it does not know, and for what is no figure.
    """
    wanted = dict(_fault(each) for each in given)
    found = smsc_control.set_faults(str(context.smsc.control), **wanted)
    usual = asdict(Faults())
    unusual = [f"{name}={value:g}" for name, value in found.items() if value != usual[name]]
    click.echo(f"the simulated operator's faults: {', '.join(unusual) or 'none'}")


def _fault(given: str) -> tuple[str, float | None]:
    usual = asdict(Faults())
    name, _, figure = given.partition("=")
    if name not in usual:
        raise ValueError(f"there is no fault {name!r}; {nearest_hint(name, usual)}")
    if figure == "off":
        return name, usual[name]
    if not _FIGURE.fullmatch(figure):
        raise ValueError(f"{name}={figure} has no figure; write such as {name}=10, or {name}=off")
    return name, float(figure) if "." in figure else int(figure)


def send_sms(context: Context, mobile: str, line: str, text: str, wait: float) -> None:
    """Send a text as a subscriber's mobile and print what comes back."""
    answers = 0
    try:
        for answer in smsc_control.send_text(
            str(context.smsc.control), normal_mobile(mobile), ascii_digits(line), text, wait
        ):
            answers += 1
            click.echo("\n".join(isolated(line) for line in answer.text.split("\n")))
    except SmscError as error:
        raise CommandError(_what_to_do(error, line)) from None
    if not answers:
        raise CommandError(f"no answer within {wait:g} s; `peyk inbox` shows whether it came in")


def _what_to_do(error: SmscError, line: str) -> str:
    match error.code:
        case "not_running":
            return "the simulated operator is not running; start it with `peyk smsc`"
        case "no_esme_bound":
            return (
                f"no daemon is bound to the operator for {line}; "
                "start it with `peyk run`, or see `peyk health`"
            )
        case _:
            return str(error)


def _answers(socket: str) -> bool:
    try:
        smsc_control.status(socket)
    except SmscError:
        return False
    return True


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].removeprefix("peyk: ") if lines else "the simulated operator did not start"
