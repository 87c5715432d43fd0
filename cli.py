"""``peyk``: the operator's command. It parses, calls and prints; the work is elsewhere.

Exit codes: 0 done; 1 it failed; 2 it was called or configured wrongly (and for
``peyk health``, the daemon is down). Errors are one line on standard error.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from core.batch import ANSWERED, INCOMPLETE, SET_ASIDE, UNANSWERABLE
from core.browse import PRECEDENCE, InboxFilter, OutboxFilter
from core.database import DatabaseUnavailable
from core.importing import KINDS, ImportFileError
from core.node import NodeTaken
from core.payments.browse import OrderFilter
from core.payments.states import OrderState
from core.reading_control import ReadingFilter
from core.readings import ReadingState
from core.requests.counter import NewRequest
from core.schema import SchemaError
from gateway.commands import (
    boxes,
    health,
    importing,
    operator,
    payments,
    profiles,
    readings,
    requests,
    setup,
)
from gateway.commands import tariff as tariffs
from gateway.commands.context import CommandError, Context
from gateway.configuration import ConfigError
from gateway.control import ControlError
from gateway.operator import CannotStart
from gateway.payment_settings import CannotServe
from gateway.smpp.smsc_control import SmscError
from gateway.version import version

Command = TypeVar("Command", bound=Callable[..., Any])

FAILED, MISUSED = 1, 2
INTERRUPTED = 130
FAILURES = (
    CommandError,
    ControlError,
    DatabaseUnavailable,
    ImportFileError,
    NodeTaken,
    SchemaError,
    SmscError,
    CannotStart,
    CannotServe,
)
DEBUG = "PEYK_DEBUG"

MESSAGE_ID = click.IntRange(1, 2**63 - 1)
MOST_ROWS = 1_000_000

pass_context = click.make_pass_decorator(Context)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class _Command(click.Command):
    """A command whose epilog is an example: on a line of its own, to be copied whole."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the example without folding it."""
        if self.epilog:
            with formatter.section("Example"):
                formatter.write(f"{'':>{formatter.current_indent}}{self.epilog}\n")


class _Group(_Command, click.Group):
    """Commands of that kind. Called without one, it says which there are."""

    command_class = _Command
    group_class = type

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the arguments; without any, print the help and end as misused."""
        if not args:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(MISUSED)
        return super().parse_args(ctx, args)


def _filters(states: Sequence[str]) -> Callable[[Command], Command]:
    """The options that both boxes are searched by."""
    options = (
        click.option("--mobile", metavar="NUMBER", help="A mobile number, in any form."),
        click.option("--subscription", metavar="NUMBER", help="A subscription number."),
        click.option(
            "--state",
            type=click.Choice(states),
            metavar="STATE",
            help=f"Only messages in this state: {', '.join(states)}.",
        ),
        click.option("--line", metavar="NUMBER", help="Only this line."),
        click.option("--from", "since", metavar="DATE", help="First day, 1404/05/03 or ISO."),
        click.option("--to", "until", metavar="DATE", help="Last day."),
    )

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _limit(default: int | None) -> Callable[[Command], Command]:
    return click.option(
        "--limit",
        type=click.IntRange(1, MOST_ROWS),
        metavar="COUNT",
        default=default,
        show_default=True,
        help="At most so many.",
    )


def _criteria(**options: Any) -> dict[str, Any]:
    try:
        return boxes.criteria(**options)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


@click.group(
    cls=_Group,
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
    context.obj = Context(config)


@cli.command(epilog="peyk init --demo")
@click.option("--demo", is_flag=True, help="Fill in sample subscribers of the utilities.")
@pass_context
def init(context: Context, *, demo: bool) -> None:
    """Make the key and the database, or upgrade the database.

    What is there already is kept.
    """
    setup.initialise(context, with_demo=demo)


@cli.command(
    epilog="peyk --config /etc/peyk/peyk.toml run", short_help="Run the daemon in the foreground."
)
@pass_context
def run(context: Context) -> None:
    """Run the daemon in the foreground; Ctrl-C or SIGTERM stops it cleanly."""
    setup.run_daemon(context)


@cli.command("health", epilog="peyk health --json")
@as_json
@pass_context
def show_health(context: Context, *, as_json: bool) -> None:
    """Say how the daemon is: binds, queues, database.

    Exits with 0 when healthy, 1 when degraded, 2 when down.
    """
    sys.exit(health.show_health(context, as_json=as_json))


@cli.command(
    "import",
    epilog="peyk import bills bills-1404-03.xlsx",
    short_help="Import a CSV or XLSX file of the utility.",
)
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--strict", is_flag=True, help="Take nothing when any row is bad.")
@click.option("--utility", metavar="NAME", help="The utility of rows that name none.")
@pass_context
def import_(context: Context, kind: str, file: Path, *, strict: bool, utility: str | None) -> None:
    """Import a CSV or XLSX file of the utility (docs/importing.md says which columns).

    The same file twice changes nothing, and an import that was cut short goes on where it
    stopped. Exits with 1 when rows were bad.
    """
    importing.run_import(context, kind, file, strict=strict, utility=utility)


@cli.command(
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
    try:
        operator.send_sms(context, mobile, line, text, wait)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


@cli.command(epilog="peyk smsc --background", short_help="Run the simulated operator.")
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
        operator.stop_operator(context)
    elif faults:
        try:
            operator.set_faults(context, faults)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
    elif background:
        operator.start_operator(context)
    else:
        operator.run_operator(context)


@cli.command(
    epilog="peyk inbox --mobile 09131234567 --from 1404/05/01",
    short_help="List received messages and what was done.",
)
@_filters((ANSWERED, SET_ASIDE, INCOMPLETE, UNANSWERABLE))
@_limit(50)
@as_json
@pass_context
def inbox(context: Context, /, *, as_json: bool, **options: Any) -> None:
    """List received messages and what was done with them, the newest first."""
    boxes.show_inbox(context, InboxFilter(**_criteria(**options)), as_json=as_json)


@cli.group(epilog="peyk outbox list --state undeliverable")
def outbox() -> None:
    """Messages sent or to be sent: list, show, resend, cancel."""


STATES = [state.value for state in PRECEDENCE]


@outbox.command("list", epilog="peyk outbox list --subscription 10000001 --to 1404/05/31")
@_filters(STATES)
@_limit(50)
@as_json
@pass_context
def outbox_list(context: Context, /, *, as_json: bool, **options: Any) -> None:
    """List messages, the newest first."""
    boxes.show_list(context, OutboxFilter(**_criteria(**options)), as_json=as_json)


@outbox.command("show", epilog="peyk outbox show 227794327961600000")
@click.argument("message_id", metavar="ID", type=MESSAGE_ID)
@as_json
@pass_context
def outbox_show(context: Context, message_id: int, *, as_json: bool) -> None:
    """Show one message, part by part."""
    boxes.show_one(context, message_id, as_json=as_json)


def _act(verb: str, help_text: str, example: str) -> None:
    @outbox.command(verb, help=help_text, epilog=example)
    @click.argument("ids", metavar="[ID]...", type=MESSAGE_ID, nargs=-1)
    @_filters(STATES)
    @_limit(None)
    @click.option("--dry-run", is_flag=True, help="Only say how many it would be.")
    @pass_context
    def command(
        context: Context, /, ids: tuple[int, ...], *, dry_run: bool, **options: Any
    ) -> None:
        chosen = [name for name, value in options.items() if value is not None]
        if bool(ids) == bool(chosen):
            raise click.UsageError("give message ids, or options that say which; not both")
        what = ids or OutboxFilter(**_criteria(**options))
        boxes.act(context, verb, what, dry_run=dry_run)


_act(
    "resend",
    "Send messages again that failed, are uncertain, or were cancelled.",
    "peyk outbox resend --state undeliverable --from 1404/05/03 --dry-run",
)
_act(
    "cancel",
    "Give up on messages that have not left yet.",
    "peyk outbox cancel 227794327961600000",
)


@cli.group(epilog="peyk profile check --all")
def profile() -> None:
    """The utilities' commands and words: list them, look for mistakes in them."""


@profile.command("list", epilog="peyk profile list")
@as_json
@pass_context
def profile_list(context: Context, *, as_json: bool) -> None:
    """List the profiles, with the lines that use each."""
    profiles.show_profiles(context, as_json=as_json)


@profile.command("check", epilog="peyk profile check lorestan-water")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Check every profile there is.")
@click.option(
    "--parts",
    type=click.IntRange(1, 10),
    default=2,
    show_default=True,
    help="How many parts a reply may take.",
)
@pass_context
def profile_check(context: Context, names: Sequence[str], *, every: bool, parts: int) -> None:
    """Print every mistake in profiles, not only the first. Exits with 1 when there is any."""
    if bool(names) == every:
        raise click.UsageError("name the profiles to check, or say --all; not both.")
    sys.exit(profiles.check_profiles(context, names, most_parts=parts))


@cli.group(epilog="peyk tariff explain 10000001 --reading 1234")
def tariff() -> None:
    """What water costs: explain a bill line by line."""


@tariff.command("explain", epilog="peyk tariff explain 10000001 --reading 1234")
@click.argument("subscription", metavar="SUBSCRIPTION")
@click.option("--reading", required=True, metavar="FIGURE", help="What the meter shows.")
@click.option("--utility", metavar="NAME", help="Where lines serve several.")
@click.option("--at", metavar="DATE", help="On which day; today if not said.")
@as_json
@pass_context
def tariff_explain(
    context: Context, /, subscription: str, *, reading: str, as_json: bool, **options: Any
) -> None:
    """Show the bill that a reading would make, line by line. Nothing is stored."""
    try:
        found = tariffs.explain_bill(context, subscription, reading, **options)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    tariffs.show(found, as_json=as_json)


@cli.group(epilog="peyk reading list --state doubtful")
def reading() -> None:
    """Meter readings of subscribers: list, export, accept, reject."""


def _which_readings(limit: int | None) -> Callable[[Command], Command]:
    """The options that readings are chosen by."""
    options = (
        click.option("--utility", metavar="NAME", help="Only this utility's."),
        click.option(
            "--state",
            type=click.Choice([state.value for state in ReadingState]),
            help="Only readings in this state.",
        ),
        click.option("--from", "since", metavar="DATE", help="First day, 1404/05/03 or ISO."),
        click.option("--to", "until", metavar="DATE", help="Last day."),
        _limit(limit),
    )

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _chosen_readings(**options: Any) -> ReadingFilter:
    try:
        return readings.criteria(**options)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


@reading.command("list", epilog="peyk reading list --state doubtful --from 1404/05/01")
@_which_readings(50)
@as_json
@pass_context
def reading_list(context: Context, /, *, as_json: bool, **options: Any) -> None:
    """List readings, the newest first."""
    readings.show_list(context, _chosen_readings(**options), as_json=as_json)


@reading.command("export", epilog="peyk reading export doubtful.xlsx --state doubtful")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_which_readings(None)
@pass_context
def reading_export(context: Context, /, file: Path, **options: Any) -> None:
    """Write readings to FILE, which ends in .csv or .xlsx."""
    readings.export(context, file, _chosen_readings(**options))


def _decide(verb: str, state: ReadingState, help_text: str, example: str) -> None:
    @reading.command(verb, help=help_text, epilog=example)
    @click.argument("reading_id", metavar="ID", type=MESSAGE_ID)
    @click.option("--note", default="", help="Why, in words for the subscriber.")
    @click.option("--by", default=getpass.getuser, metavar="NAME", help="Who decides; else you.")
    @pass_context
    def command(context: Context, reading_id: int, *, note: str, by: str) -> None:
        readings.act(context, reading_id, state, by=by, note=note.strip())


_decide(
    "accept",
    ReadingState.ACCEPTED,
    "Accept a reading and tell who sent it.",
    "peyk reading accept 1234",
)
_decide(
    "reject",
    ReadingState.REJECTED,
    "Reject a reading: it no longer counts, and who sent it is told why.",
    "peyk reading reject 1234 --note 'رقم کنتور خوانا نیست'",
)


@cli.group(epilog="peyk request list --state registered")
def request() -> None:
    """Requests of subscribers and counter offices: register, look up, edit, decide, price."""


_UTILITY = click.option("--utility", metavar="NAME", help="Where lines serve several.")
_BY = click.option("--by", default=getpass.getuser, metavar="NAME", help="Who does it; else you.")
_FIELD = click.option(
    "--field", "fields", multiple=True, metavar="NAME=VALUE", help="A field of the kind; again."
)


def _on_request(work: Callable[..., None], context: Context, *what: Any, **options: Any) -> None:
    try:
        work(context, *what, **options)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


@request.command("kinds", epilog="peyk request kinds --utility lorestan-water")
@_UTILITY
@as_json
@pass_context
def request_kinds(context: Context, *, utility: str | None, as_json: bool) -> None:
    """List what may be asked for: who may, with which fields (? may be left out), the fee."""
    requests.show_kinds(context, utility, as_json=as_json)


@request.command("new", epilog="peyk request new meter_test --number 10000001 --text 'کنتور می‌زند'")
@click.argument("kind", metavar="KIND")
@_UTILITY
@click.option("--number", default="", help="The subscription that it is about.")
@click.option("--mobile", default="", help="Whom to tell.")
@_FIELD
@click.option("--office", default="", metavar="NAME", help="The counter office that takes it.")
@click.option("--text", default="", help="What it is about, in words.")
@_BY
@pass_context
def request_new(
    context: Context, /, *, utility: str | None, by: str, fields: tuple[str, ...], **options: Any
) -> None:
    """Register a request at a counter and print its tracking number."""
    new = NewRequest(**options)
    _on_request(requests.new_request, context, utility, by, fields, new)


@request.command("list", epilog="peyk request list --kind meter_test --state registered")
@click.option("--utility", metavar="NAME", help="Only this utility's.")
@click.option("--kind", help="Only this kind.")
@click.option("--state", help="Only in this state.")
@click.option("--number", help="Only about this subscription.")
@click.option("--mobile", help="Only those that this mobile is told of.")
@click.option("--office", help="Only of this counter office.")
@click.option("--editable", is_flag=True, help="Only those that may still be edited.")
@click.option("--from", "since", metavar="DATE", help="First day, 1404/05/03 or ISO.")
@click.option("--to", "until", metavar="DATE", help="Last day.")
@_limit(50)
@as_json
@pass_context
def request_list(context: Context, /, *, as_json: bool, **options: Any) -> None:
    """List requests, the newest first."""
    try:
        wanted = requests.criteria(context, **options)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    requests.show_list(context, wanted, as_json=as_json)


@request.command("show", epilog="peyk request show 10000004")
@click.argument("tracking", metavar="TRACKING")
@_UTILITY
@as_json
@pass_context
def request_show(context: Context, tracking: str, *, utility: str | None, as_json: bool) -> None:
    """Show a request with its fields and its history."""
    requests.show_one(context, tracking, utility, as_json=as_json)


@request.command("state", epilog="peyk request state 10000004 in_review --note 'ارسال به امور'")
@click.argument("tracking", metavar="TRACKING")
@click.argument("state", metavar="STATE")
@click.option("--note", default="", help="Why, in words for who asked.")
@_UTILITY
@_BY
@pass_context
def request_state(context: Context, /, state: str, note: str, **which: Any) -> None:
    """Put a request into another state (docs/requests.md says which may follow)."""
    _on_request(requests.change_state, context, requests.Which(**which), state, note)


@request.command("edit", epilog="peyk request edit 10000004 --field units=2")
@click.argument("tracking", metavar="TRACKING")
@_FIELD
@click.option("--text", help="What it is about, in words.")
@_UTILITY
@_BY
@pass_context
def request_edit(
    context: Context, /, fields: tuple[str, ...], text: str | None, **which: Any
) -> None:
    """Change what was filled in, while the company is not yet at work on it."""
    _on_request(requests.edit_request, context, requests.Which(**which), fields, text)


@request.command("fee", epilog="peyk request fee 10000004 2500000")
@click.argument("tracking", metavar="TRACKING")
@click.argument("amount", metavar="[AMOUNT]", type=click.IntRange(1, 10**12), required=False)
@click.option("--account", default="", help="Where it is paid to, if not the usual account.")
@click.option("--announce-only", is_flag=True, help="Tell the fee; issue no voucher yet.")
@_UTILITY
@_BY
@pass_context
def request_fee(
    context: Context, /, amount: int | None, account: str, *, announce_only: bool, **which: Any
) -> None:
    """Issue a request's voucher: AMOUNT rial, or the fee that is known."""
    about = requests.Which(**which)
    _on_request(requests.tell_fee, context, about, amount, account, announce_only=announce_only)


@cli.group(epilog="peyk payment list --state unknown")
def payment() -> None:
    """Payments online: list, show, reconcile. docs/payments.md explains their states."""


@payment.command("list", epilog="peyk payment list --state unknown --from 1404/05/01")
@click.option("--mobile", metavar="NUMBER", help="A mobile number, in any form.")
@click.option("--subscription", metavar="NUMBER", help="A subscription number.")
@click.option(
    "--state",
    type=click.Choice([state.value for state in OrderState]),
    metavar="STATE",
    help=f"Only in this state: {', '.join(OrderState)}.",
)
@click.option("--utility", metavar="NAME", help="Only this utility's.")
@click.option("--provider", metavar="NAME", help="Only those of this account.")
@click.option("--reference", metavar="NUMBER", help="The provider's receipt.")
@click.option("--from", "since", metavar="DATE", help="First day, 1404/05/03 or ISO.")
@click.option("--to", "until", metavar="DATE", help="Last day.")
@_limit(50)
@as_json
@pass_context
def payment_list(context: Context, /, *, as_json: bool, **options: Any) -> None:
    """List orders to pay, the newest first."""
    payments.show_list(context, OrderFilter(**_criteria(**options)), as_json=as_json)


@payment.command("show", epilog="peyk payment show 227794327961600000")
@click.argument("order_id", metavar="ID", type=MESSAGE_ID)
@as_json
@pass_context
def payment_show(context: Context, order_id: int, *, as_json: bool) -> None:
    """Show one order."""
    payments.show_one(context, order_id, as_json=as_json)


@payment.command("reconcile", epilog="peyk payment reconcile")
@as_json
@pass_context
def payment_reconcile(context: Context, *, as_json: bool) -> None:
    """Have the daemon ask the providers about everything in doubt, now."""
    payments.reconcile(context, as_json=as_json)


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
            return f"{error.format_message().rstrip('.')}. See `{known} --help`.", MISUSED
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
