"""``peyk tariff explain``: what a bill would say, line by line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from datetime import time as of_day
from fractions import Fraction
from typing import Any

import click

from core.explain import CannotExplain, Explained, Question, explain
from core.jalali import TEHRAN, jalali, local, milliseconds, parse_date
from core.tariff import Line
from core.text import ascii_digits
from gateway.commands.clicking import Group, as_json, misuse, pass_context
from gateway.commands.context import CommandError, Context, now_ms
from gateway.commands.output import print_facts, print_json, print_table
from gateway.commands.utilities import profile_with

FURTHEST = timedelta(days=366)
"""How far ahead a bill can be explained."""
TITLES = {
    "water": "آب‌بها، پله {place}",
    "capacity": "آب‌بها در ظرفیت قراردادی",
    "free": "آب‌بهای مازاد بر ظرفیت، نرخ آزاد",
    "season": "افزایش فصل گرم",
    "subscription": "آبونمان آب",
    "wastewater": "کارمزد دفع فاضلاب",
    "wastewater_fee": "آبونمان فاضلاب",
    "note": "{note}، تا الگوی مصرف",
    "note_above": "{note}، بالاتر از الگو",
    "vat": "مالیات بر ارزش افزوده",
}
"""The words for each kind of line, by ``Line.title``."""
_SHARES = frozenset({"season", "wastewater", "vat"})
"""Lines that are a share of other lines."""
_MONTHS = frozenset({"subscription", "wastewater_fee"})


@click.group(cls=Group, epilog="peyk tariff explain 10000001 --reading 1234")
def tariff() -> None:
    """What water costs: explain a bill line by line."""


@tariff.command("explain", epilog="peyk tariff explain 10000001 --reading 1234")
@click.argument("subscription", metavar="SUBSCRIPTION")
@click.option("--reading", required=True, metavar="FIGURE", help="What the meter shows.")
@click.option("--utility", metavar="NAME", help="Where several have the number.")
@click.option(
    "--at", metavar="DATE", help="On which day, a year from now at the latest; today if not said."
)
@as_json
@pass_context
def tariff_explain(
    context: Context, /, subscription: str, *, reading: str, as_json: bool, **options: Any
) -> None:
    """Show the bill that a reading would make, line by line. Nothing is stored."""
    with misuse():
        found = explain_bill(context, subscription, reading, **options)
    show(found, as_json=as_json)


def explain_bill(
    context: Context, subscription: str, reading: str, *, utility: str | None, at: str | None
) -> Explained:
    """Compute the bill that a reading would make. Raises ``CommandError``, ``ValueError``."""
    number, figure = ascii_digits(subscription), ascii_digits(reading)
    if not (figure.isascii() and figure.isdigit()):
        raise ValueError(f"{reading!r} is not what a meter shows")
    instant = _instant(at)
    with context.database() as database:
        profile = profile_with(context, database, number, utility)
        question = Question(profile.utility, number, figure, instant, profile.terms)
        try:
            return database.read("cli.tariff_explain", explain, question)
        except CannotExplain as error:
            raise CommandError(str(error)) from None


def show(explained: Explained, *, as_json: bool) -> None:
    """Print it."""
    if as_json:
        print_json(to_json(explained))
        return
    print_facts(_heading(explained))
    click.echo()
    columns = ("line", "from", "to", "quantity", "rate", "rial")
    print_table(columns, (_row(line) for line in explained.draft.lines))
    click.echo()
    print_facts(_sum(explained))


def to_json(explained: Explained) -> dict[str, Any]:
    """A bill for programs: quantities and rates as exact fractions, ``"25/2"``."""
    account, draft = explained
    return {
        "subscription": account.number,
        "usage": account.usage,
        "units": account.units,
        "capacity": account.capacity,
        "region": account.region,
        "wastewater": account.wastewater,
        "from_date": draft.start.day.isoformat(),
        "to_date": draft.end.day.isoformat(),
        "from_reading": draft.start.reading,
        "to_reading": draft.end.reading,
        "used": draft.end.used,
        "lines": [{**line.as_plain(), "words": _title(line)} for line in draft.lines],
        "amount": draft.amount,
        "owed_before": draft.start.owed,
        "payable": draft.payable,
        "carried": draft.carried,
        "bill_id": draft.bill_id or None,
        "payment_id": draft.payment_id or None,
        "due": draft.due.isoformat() if draft.due else None,
    }


def _instant(at: str | None) -> int:
    """Noon in Tehran of a day that was given, or now; UTC milliseconds."""
    if at is None:
        return now_ms()
    day, today = parse_date(at), local(datetime.now(UTC)).date()
    if day - today > FURTHEST:
        raise ValueError(
            f"{jalali(day)} is more than a year from now: nobody knows the prices of that day"
        )
    noon = datetime.combine(day, of_day(12), TEHRAN)
    return milliseconds(noon)


def _title(line: Line) -> str:
    place = line.code.partition(".")[2]
    return TITLES[line.title].format(place=place, note=line.note)


def _row(line: Line) -> tuple[object, ...]:
    quantity, rate = _plain(line.quantity), _plain(line.rate)
    if line.title in _SHARES:
        rate = f"{_plain(line.rate * 100)} %"
    elif line.title in _MONTHS:
        quantity = f"{quantity} months"
    else:
        quantity = f"{quantity} m³"
    return (
        _title(line), jalali(line.first), jalali(line.end), quantity, rate, f"{line.amount:,}",
    )  # fmt: skip


def _heading(explained: Explained) -> list[tuple[str, object]]:
    account, draft = explained
    days = (draft.end.day - draft.start.day).days
    return [
        ("subscription", account.number),
        ("usage", account.usage or None),
        ("units", account.units),
        ("capacity", account.capacity),
        ("region", account.region or None),
        ("period", f"{jalali(draft.start.day)} to {jalali(draft.end.day)}, {days} days"),
        ("readings", f"{draft.start.reading} to {draft.end.reading}"),
        ("used", f"{draft.end.used} m³"),
    ]


def _sum(explained: Explained) -> list[tuple[str, object]]:
    draft = explained.draft
    return [
        ("this period", f"{draft.amount:,} rial"),
        ("owed before", f"{draft.start.owed:,} rial"),
        ("to pay", f"{draft.payable:,} rial"),
        ("carried over", f"{draft.carried:,} rial"),
        ("bill ID", draft.bill_id or None),
        ("payment ID", draft.payment_id or None),
        ("deadline", jalali(draft.due) if draft.due else None),
    ]


def _plain(figure: Fraction) -> str:
    """A fraction as people read it: at most three decimals, grouped."""
    if figure.denominator == 1:
        return f"{figure.numerator:,}"
    return f"{float(figure):,.3f}".rstrip("0").rstrip(".")
