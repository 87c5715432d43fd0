"""``peyk init`` and ``peyk run``: make what the daemon needs, and be the daemon."""

from __future__ import annotations

import getpass
import secrets
from datetime import datetime

import click

from core import demo
from core.access import administering
from core.access.passwords import hash_password
from core.access.permissions import EVERY_UTILITY
from core.access.users import NewUser, is_first
from core.database import Database
from core.jalali import TEHRAN
from gateway import logs
from gateway.commands.auditing import by_command
from gateway.commands.clicking import Command, pass_context
from gateway.commands.context import Context
from gateway.commands.template_desk import TemplateDesk
from gateway.commands.templates import load_templates
from gateway.templates.shipped import FILE
from gateway.version import version

MOST_SAMPLES = 3000
DEMO_USER = "demo"
SAMPLES = 300
"""Sample subscribers of the first line's utility, and of each other one."""


@click.command(cls=Command, epilog="peyk init --demo")
@click.option("--demo", is_flag=True, help="Fill in sample subscribers of the utilities.")
@pass_context
def init(context: Context, *, demo: bool) -> None:
    """Make the key and the database, or upgrade the database.

    What is there already is kept.
    """
    initialise(context, with_demo=demo)


@click.command(
    cls=Command,
    epilog="peyk --config /etc/peyk/peyk.toml run",
    short_help="Run the daemon in the foreground.",
)
@pass_context
def run(context: Context) -> None:
    """Run the daemon in the foreground; Ctrl-C or SIGTERM stops it cleanly."""
    run_daemon(context)


def initialise(context: Context, *, with_demo: bool) -> None:
    """Make the key and the database; what is there already is upgraded or left alone."""
    key = context.prepare()
    if key:
        click.echo(f"made the key {key}; keep a copy: without it every secret code is useless")
    with context.new_database() as database:
        click.echo(f"the database {database.name} is ready")
        if with_demo:
            _fill(context, database)
    _load_templates(context, demo=with_demo)
    if with_demo:
        _let_in(context)


def _fill(context: Context, database: Database) -> None:
    """Sample subscribers for each profile of a line that is named as a sample utility."""
    today = datetime.now(TEHRAN).date()
    named = dict.fromkeys(line.profile for line in context.settings.lines)
    utilities = [name for name in named if name in demo.UTILITIES]
    for utility in utilities:
        count = MOST_SAMPLES if utility == utilities[0] else SAMPLES
        demo.fill(database, context.keys, today=today, utility=utility, subscribers=count)
    click.echo(f"it has sample subscribers of {', '.join(utilities) or 'nobody'}")


def _let_in(context: Context) -> None:
    """Somebody to open the desk with: a password is made and said once."""
    web, desk = context.settings.web, context.settings.desk
    if web is None or not desk.enabled:
        return
    click.echo(f"the desk is at {web.url}/desk/ while the daemon runs")
    with context.database() as database:
        if not database.read("init.users", is_first):
            click.echo(f"log in as before; `peyk user password {DEMO_USER}` gives a new password")
            return
        password = "-".join(secrets.token_hex(2) for _ in range(4))
        new = NewUser(DEMO_USER, "کاربر نمایشی", hash_password(password))
        database.transact("init.user", administering.add, by_command(), new, (), EVERY_UTILITY)
    click.echo(f"log in as {DEMO_USER} with the password {password} (it is not shown again)")


def _load_templates(context: Context, *, demo: bool) -> None:
    """The templates that the lines' profiles ship, where they are not there yet."""
    settings = context.settings
    names = dict.fromkeys(line.profile for line in settings.lines)
    shipping = tuple(name for name in names if (settings.profile_folder(name) / FILE).exists())
    if shipping:
        load_templates(TemplateDesk(context), shipping, getpass.getuser(), demo=demo)


def run_daemon(context: Context) -> None:
    """Be the daemon until a signal or the control socket stops it."""
    from gateway import app  # noqa: PLC0415 - brings the reactor in

    daemon = context.settings.daemon
    logs.configure(daemon.log_level, daemon.log_format, file=daemon.log_file)
    logs.bridge_twisted()
    with context.words_for_database():
        app.run(context.settings, context.config, version())
