"""``peyk``: the operator's command, assembled of its sub-commands.

How each of them is called and what it does is in ``gateway.commands``. A call imports what
its own sub-command needs: all of them together take a second.

Exit codes: 0 done; 1 it failed; 2 it was called or configured wrongly (and for
``peyk health``, the daemon is down). Errors are one line on standard error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

import click

from gateway import logs
from gateway.commands.clicking import MISUSED, Group, Imported
from gateway.commands.context import Context
from gateway.configuration import ConfigError
from gateway.version import version

FAILED = 1
INTERRUPTED = 130
DEBUG = "PEYK_DEBUG"
FAILURES = "gateway.commands.failures"
"""Looked into when something failed: it knows parts that most commands do without."""
COMMANDS: Final = {
    "init": "setup",
    "run": "setup",
    "health": "health",
    "backup": "backup",
    "import": "importing",
    "sms": "operator",
    "ussd": "ussd",
    "smsc": "operator",
    "inbox": "boxes",
    "outbox": "boxes",
    "campaign": "campaigns",
    "outage": "outages",
    "optout": "optouts",
    "report": "reports",
    "service": "services",
    "alert": "alerts",
    "profile": "profiles",
    "tariff": "tariff",
    "reading": "readings",
    "request": "requests",
    "payment": "payments",
    "template": "templates",
    "user": "users",
    "token": "tokens",
    "audit": "audit",
    "webhook": "webhooks",
    "retention": "retention",
    "subscriber": "subscribers",
}
"""Each command, and its module in ``gateway.commands``."""


@click.group(
    cls=Group,
    commands=Imported(COMMANDS),
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
        case _ if isinstance(error, import_module(FAILURES).FAILURES):
            return str(error), FAILED
    first_line = f"unexpected {type(error).__name__}: {error}".splitlines()[0]
    return f"{first_line}; set {DEBUG}=1 to see where", FAILED


if __name__ == "__main__":
    main()
