"""``peyk init`` and ``peyk run``: make what the daemon needs, and be the daemon."""

from __future__ import annotations

from datetime import datetime

import click

from core import demo
from core.jalali import TEHRAN
from gateway import logs
from gateway.commands.context import Context
from gateway.version import version


def initialise(context: Context, *, with_demo: bool) -> None:
    """Make the key and the database; what is there already is upgraded or left alone."""
    key = context.prepare()
    if key:
        click.echo(f"made the key {key}; keep a copy: without it every secret code is useless")
    with context.new_database() as database:
        click.echo(f"the database {database.name} is ready")
        if with_demo:
            demo.fill(database, context.keys, today=datetime.now(TEHRAN).date())
            click.echo("it has the sample subscribers of Kerman water")


def run_daemon(context: Context) -> None:
    """Be the daemon until a signal or the control socket stops it."""
    from gateway.app import run  # noqa: PLC0415 - brings the reactor in

    daemon = context.settings.daemon
    logs.configure(daemon.log_level, daemon.log_format, file=daemon.log_file)
    logs.bridge_twisted()
    with context.words_for_database():
        run(context.settings, context.config, version())
