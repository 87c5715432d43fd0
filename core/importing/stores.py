"""Writing a batch of imported rows: the same few statements for one row or thousands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import Connection, Text, select

from core.bulk import Upsert, Upserted, as_rows, insert_rows, unfolded, upsert_rows
from core.importing.news import Keyed, bill_issued, new_among, payment_booked, tell, with_units
from core.importing.ours import without_ours
from core.tables import (
    bills,
    contacts,
    imports,
    instalments,
    payments,
    readings,
    subscribers,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from core.ids import IdMaker
    from core.importing.kinds import Values
    from core.secrecy import Keys

Subscription = tuple[str, str]
"""Utility and number."""


class Record(NamedTuple):
    """One row that is sound by itself."""

    line: int
    values: Values

    @property
    def subscription(self) -> Subscription:
        """Whose row it is."""
        return self.values["utility"], self.values["number"]


class Batch(NamedTuple):
    """Rows of one file to be written, with what they need."""

    records: Sequence[Record]
    columns: frozenset[str]
    """The columns that the file has; others are left as they are."""
    ids: dict[Subscription, int]
    """Of the subscribers that the rows belong to."""
    keys: Keys
    now: int
    new_ids: IdMaker
    """For the events that it makes."""


_wanted = unfolded({"utility": Text(), "number": Text()})
_IDS = select(subscribers.c.utility, subscribers.c.number, subscribers.c.id).join_from(
    _wanted,
    subscribers,
    (subscribers.c.utility == _wanted.c.utility) & (subscribers.c.number == _wanted.c.number),
)


def load_ids(connection: Connection, wanted: Iterable[Subscription]) -> dict[Subscription, int]:
    """Load the ids of the subscribers that there are among ``wanted``; one statement."""
    unique = set(wanted)
    if not unique:
        return {}
    return {(row[0], row[1]): row[2] for row in connection.execute(_IDS, as_rows(unique))}


def store_subscribers(connection: Connection, batch: Batch) -> Upserted:
    """Write subscribers by utility and number, and register their mobiles."""
    plain = [name for name in _PLAIN if name in batch.columns]
    how = Upsert(
        subscribers,
        ("utility", "number", "code_hash", *plain, "changed_at"),
        key=("utility", "number"),
        keep=frozenset({"code_hash"}),
        stamps=frozenset({"changed_at"}),
    )
    rows = {
        record.subscription: (
            *record.subscription,
            _code_hash(batch.keys, record.values),
            *(record.values[name] for name in plain),
            batch.now,
        )
        for record in batch.records
    }
    done = upsert_rows(connection, how, list(rows.values()))
    _register_mobiles(connection, batch)
    return done


_PLAIN: Final = (
    "name", "usage", "units", "capacity", "meter_serial", "meter_digits", "address", "region",
    "bill_id", "wastewater", "state",
)  # fmt: skip


def _code_hash(keys: Keys, values: Values) -> str | None:
    code = values.get("code")
    return keys.code_hash(values["utility"], values["number"], code) if code else None


def _register_mobiles(connection: Connection, batch: Batch) -> None:
    with_mobile = [record for record in batch.records if record.values.get("mobile")]
    ids = load_ids(connection, (record.subscription for record in with_mobile))
    rows = [
        (record.values["utility"], mobile, ids[record.subscription], "import", batch.now)
        for record in with_mobile
        for mobile in record.values["mobile"]
    ]
    columns = ("utility", "mobile", "subscriber_id", "source", "created_at")
    insert_rows(connection, contacts, columns, rows, or_ignore=True)


def store_bills(connection: Connection, batch: Batch) -> Upserted:
    """Write bills by subscriber and period, with an event for each that is news."""
    optional = (
        "from_date", "to_date", "from_reading", "to_reading", "used", "bill_id", "payment_id",
        "due_date",
    )  # fmt: skip
    there = tuple(name for name in optional if name in batch.columns)
    columns = ("subscriber_id", "period", "amount", "payable", "issued_at", *there)
    how = Upsert(bills, columns, key=("subscriber_id", "period"))
    rows = _keyed(how, batch)
    news = new_among(connection, how, rows, "issued_at", batch.now)
    done = _upsert(connection, how, rows)
    if news:
        tell(connection, batch.new_ids, with_units(connection, news), bill_issued, batch.now)
    return done


def store_payments(connection: Connection, batch: Batch) -> Upserted:
    """Write payments by utility, channel and reference, with an event for each that is news.

    Those that came through our own page are booked already, and stay as they are.
    """
    there = tuple(name for name in ("bill_id", "payment_id") if name in batch.columns)
    columns = ("utility", "channel", "reference", "subscriber_id", "amount", "paid_at", *there)
    how = Upsert(payments, columns, key=("utility", "channel", "reference"))
    rows = without_ours(connection, _keyed(how, batch))
    news = new_among(connection, how, rows, "paid_at", batch.now)
    done = _upsert(connection, how, rows)
    tell(connection, batch.new_ids, news, payment_booked, batch.now)
    return done


def store_readings(connection: Connection, batch: Batch) -> Upserted:
    """Write readings by subscriber, instant and source; what staff made of one stays."""
    there = tuple(name for name in ("meter_state", "old_end") if name in batch.columns)
    columns = ("subscriber_id", "read_at", "source", "reading", "state", *there)
    key = ("subscriber_id", "read_at", "source")
    how = Upsert(readings, columns, key, once=frozenset({"state"}))
    return _upsert(connection, how, _keyed(how, batch))


def store_instalments(connection: Connection, batch: Batch) -> Upserted:
    """Write instalments by subscriber, plan and which one; one that is paid stays paid."""
    there = tuple(name for name in ("paid_at", "bill_id", "payment_id") if name in batch.columns)
    columns = ("subscriber_id", "plan", "number", "amount", "due_date", *there)
    how = Upsert(
        instalments,
        columns,
        key=("subscriber_id", "plan", "number"),
        keep=frozenset({"paid_at"}) & set(there),
    )
    return _upsert(connection, how, _keyed(how, batch, number="instalment"))


STORES: Final[dict[str, Callable[[Connection, Batch], Upserted]]] = {
    "subscribers": store_subscribers,
    "bills": store_bills,
    "payments": store_payments,
    "readings": store_readings,
    "instalments": store_instalments,
}
"""How each kind is written, by its name."""


def _keyed(how: Upsert, batch: Batch, **renamed: str) -> Keyed:
    """The rows of subscribers by their key; of two with one key, the later is taken.

    ``renamed`` says which column of the file goes into one of the table by another name.
    """
    rows: Keyed = {}
    for record in batch.records:
        values = {
            "state": "accepted",
            **record.values,
            "subscriber_id": batch.ids[record.subscription],
        }
        values.update({name: values[given] for name, given in renamed.items()})
        rows[tuple(values[name] for name in how.key)] = values
    return rows


def _upsert(connection: Connection, how: Upsert, rows: Keyed) -> Upserted:
    written = [tuple(values[name] for name in how.columns) for values in rows.values()]
    return upsert_rows(connection, how, written)


# --- how far a file has come --------------------------------------------------------

_POSITION: Final = Upsert(
    imports, ("kind", "digest", "rows_done", "finished", "changed_at"), key=("kind", "digest")
)


def load_position(connection: Connection, kind: str, digest: str) -> int:
    """Load how many rows of an unfinished import were taken; 0 when there is none."""
    mine = (imports.c.kind == kind) & (imports.c.digest == digest) & ~imports.c.finished
    return connection.execute(select(imports.c.rows_done).where(mine)).scalar() or 0


def store_position(connection: Connection, position: tuple[str, str, int, bool, int]) -> None:
    """Store kind, digest, rows done, whether that was all, and the instant."""
    upsert_rows(connection, _POSITION, [position])
