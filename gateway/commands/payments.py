"""``peyk payment``: look at orders, and have the daemon ask about those in doubt."""

from __future__ import annotations

from typing import Any

import click

from core.payments import ledger
from core.payments.browse import OrderFilter, list_orders
from core.payments.ledger import Order
from core.payments.states import OrderState
from gateway import control
from gateway.commands.boxes import criteria
from gateway.commands.clicking import ID, Group, as_json, days, limit, misuse, pass_context
from gateway.commands.context import CommandError, Context
from gateway.commands.output import for_people, for_programs, print_facts, print_json, print_table

_INSTANTS = ("created_at", "changed_at", "expires_at")
_ASKING_SECONDS = 300.0


@click.group(cls=Group, epilog="peyk payment list --state unknown")
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
@days
@limit(50)
@as_json
@pass_context
def payment_list(context: Context, /, *, as_json: bool, **options: Any) -> None:
    """List orders to pay, the newest first."""
    with misuse():
        wanted = OrderFilter(**criteria(**options))
    show_list(context, wanted, as_json=as_json)


@payment.command("show", epilog="peyk payment show 227794327961600000")
@click.argument("order_id", metavar="ID", type=ID)
@as_json
@pass_context
def payment_show(context: Context, order_id: int, *, as_json: bool) -> None:
    """Show one order."""
    show_one(context, order_id, as_json=as_json)


@payment.command("reconcile", epilog="peyk payment reconcile")
@as_json
@pass_context
def payment_reconcile(context: Context, *, as_json: bool) -> None:
    """Have the daemon ask the providers about everything in doubt, now."""
    reconcile(context, as_json=as_json)


def show_list(context: Context, wanted: OrderFilter, *, as_json: bool) -> None:
    """List orders."""
    with context.database() as database:
        rows = database.read("cli.payments", list_orders, wanted)
    if as_json:
        print_json([_as_json(order) for order in rows])
        return
    columns = (
        "id", "created", "mobile", "subscription", "amount", "state", "provider", "reference",
        "error",
    )  # fmt: skip
    print_table(columns, (_row(order) for order in rows))
    if not rows:
        click.echo("no such payments", err=True)


def show_one(context: Context, order_id: int, *, as_json: bool) -> None:
    """Show one order."""
    with context.database() as database:
        order = database.read("cli.payment_show", ledger.by_id, order_id)
    if order is None:
        raise CommandError(f"there is no payment {order_id}; `peyk payment list` shows the ids")
    if as_json:
        print_json(_as_json(order))
        return
    print_facts(
        (name.replace("_", " "), for_people(value) if name in _INSTANTS else value)
        for name, value in _shown(order).items()
    )


def reconcile(context: Context, *, as_json: bool) -> None:
    """Have the daemon ask the providers about everything in doubt, at once."""
    found = control.call(
        context.settings.daemon.control, "reconcile_payments", timeout=_ASKING_SECONDS
    )
    if as_json:
        print_json(found)
    else:
        click.echo(f"asked about {found['asked']} payment(s); {found['in_doubt']} still in doubt")


def _row(order: Order) -> tuple[object, ...]:
    return (
        order.id,
        for_people(order.created_at),
        order.mobile,
        order.number,
        f"{order.amount:,}",
        order.state.value,
        order.provider,
        order.reference,
        order.error,
    )


def _shown(order: Order) -> dict[str, Any]:
    """All of an order but the name, and the link: whoever has it can look at the page."""
    values = order._asdict() | {"state": order.state.value}
    for name in ("name", "link"):
        del values[name]
    return values


def _as_json(order: Order) -> dict[str, Any]:
    values = _shown(order)
    for name in _INSTANTS:
        values[name] = for_programs(values[name])
    return values | {"id": str(order.id)}
