"""``peyk``: the operator's command, assembled of its sub-commands.

How each of them is called and what it does is in ``gateway.commands``.

Exit codes: 0 done; 1 it failed; 2 it was called or configured wrongly (and for
``peyk health``, the daemon is down). Errors are one line on standard error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from core.backing_up import BackupError
from core.database import DatabaseUnavailable
from core.importing import ImportFileError
from core.node import NodeTaken
from core.outages import OutageError
from core.personal import PersonalError
from core.reporting.types import SourceError
from core.runs.store import RunError
from core.schema import SchemaError
from core.services import ServicePaused
from gateway import logs
from gateway.commands.alerts import alert
from gateway.commands.audit import audit
from gateway.commands.backup import backup
from gateway.commands.boxes import inbox, outbox
from gateway.commands.campaigns import campaign
from gateway.commands.clicking import MISUSED, Group
from gateway.commands.context import CommandError, Context
from gateway.commands.health import health
from gateway.commands.importing import import_
from gateway.commands.operator import sms, smsc
from gateway.commands.optouts import optout
from gateway.commands.outages import outage
from gateway.commands.payments import payment
from gateway.commands.profiles import profile
from gateway.commands.readings import reading
from gateway.commands.reports import report
from gateway.commands.requests import request
from gateway.commands.retention import retention
from gateway.commands.services import service
from gateway.commands.setup import init, run
from gateway.commands.subscribers import subscriber
from gateway.commands.tariff import tariff
from gateway.commands.templates import template
from gateway.commands.tokens import token
from gateway.commands.users import user
from gateway.commands.ussd import ussd
from gateway.commands.webhooks import webhook
from gateway.configuration import ConfigError
from gateway.control import ControlError
from gateway.operator import CannotStart
from gateway.payment_settings import CannotServe
from gateway.smpp.smsc_control import SmscError
from gateway.version import version

FAILED = 1
INTERRUPTED = 130
FAILURES = (
    BackupError,
    CommandError,
    ControlError,
    DatabaseUnavailable,
    ImportFileError,
    NodeTaken,
    OutageError,
    PersonalError,
    RunError,
    SchemaError,
    ServicePaused,
    SmscError,
    SourceError,
    CannotStart,
    CannotServe,
)
DEBUG = "PEYK_DEBUG"
COMMANDS = (
    init,
    run,
    health,
    backup,
    import_,
    sms,
    ussd,
    smsc,
    inbox,
    outbox,
    campaign,
    outage,
    optout,
    report,
    service,
    alert,
    profile,
    tariff,
    reading,
    request,
    payment,
    template,
    user,
    token,
    audit,
    webhook,
    retention,
    subscriber,
)


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="peyk --config /etc/peyk/peyk.toml health",
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("config/peyk.toml"),
    envvar="PEYK_CONFIG",
    show_default=True,
    show_envvar=True,
    help="The settings file.",
)
@click.version_option(version(), prog_name="peyk", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context, config: Path) -> None:
    """Peyk, an SMS and USSD gateway for utilities."""
    logs.of_command()
    context.obj = Context(config)


for each in COMMANDS:
    cli.add_command(each)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit."""
    os.umask(0o077)  # what it writes is about people, or opens what is
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        result = cli.main(arguments, prog_name="peyk", standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has gone; nothing is left to be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        problem, code = _in_words(error)
        if code == FAILED and os.environ.get(DEBUG):
            raise
        click.echo(f"peyk: {problem}", err=True)
        return code
    return result if isinstance(result, int) else 0


def _in_words(error: Exception) -> tuple[str, int]:
    """A failure as one line, and the exit code it ends with."""
    match error:
        case click.UsageError():
            known = error.ctx.command_path if error.ctx else "peyk"
            said = error.format_message().rstrip(".")
            stop = "" if said.endswith("?") else "."
            return f"{said}{stop} See `{known} --help`.", MISUSED
        case click.ClickException():
            return error.format_message(), FAILED
        case ConfigError():
            return str(error), MISUSED
        case _ if isinstance(error, FAILURES):
            return str(error), FAILED
    first_line = f"unexpected {type(error).__name__}: {error}".splitlines()[0]
    return f"{first_line}; set {DEBUG}=1 to see where", FAILED


if __name__ == "__main__":
    main()
