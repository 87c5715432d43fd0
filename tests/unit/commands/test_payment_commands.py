"""``peyk payment``: what it lists, shows, and asks of the daemon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from core.database import Database
from core.ids import IdMaker
from core.tables import orders, subscribers
from gateway import control
from tests.commands import DAEMON, Peyk, Ran

NOW = 1_790_000_000_000
LINK = "abcdefghijkmn"


@pytest.fixture
def settings() -> str:
    """Without a line."""
    return DAEMON


@pytest.fixture
def ids(database: Database) -> list[int]:
    """Three orders: created, booked, unknown; the last of another mobile, a day later."""
    clock = [NOW]
    maker = IdMaker(0, lambda: clock[0])
    made = []
    with database.engine.begin() as connection:
        who = {"id": 1, "utility": "kerman-water", "number": "10000001", "changed_at": 0}
        connection.execute(insert(subscribers).values(who))
        for place, state in enumerate(("created", "booked", "unknown")):
            clock[0] = NOW + (86_400_000 if state == "unknown" else 0)
            made.append(maker.one())
            row = {
                "id": made[-1],
                "utility": "kerman-water",
                "subscriber_id": 1,
                "link": f"{LINK}{place}",
                "mobile": f"98913000000{place // 2}",
                "amount": 200_000,
                "state": state,
                "provider": "zarinpal" if place else None,
                "token": f"A{place}" if place else None,
                "reference": "201" if state == "booked" else None,
                "error": "no answer" if state == "unknown" else None,
            }
            times = dict.fromkeys(("created_at", "changed_at", "expires_at"), clock[0])
            connection.execute(insert(orders).values(**row, **times))
    return made


def listed(ran: Ran) -> list[int]:
    """The ids of a list in JSON."""
    assert ran.code == 0
    return [int(row["id"]) for row in json.loads(ran.out)]


def test_orders_are_listed_by_whatever_is_known_of_them(peyk: Peyk, ids: list[int]) -> None:
    """The newest first."""
    created, booked, unknown = ids
    for options, expected in (
        ((), [unknown, booked, created]),
        (("--state", "unknown"), [unknown]),
        (("--mobile", "09130000000"), [booked, created]),
        (("--subscription", "۱۰۰۰۰۰۰۱", "--limit", 1), [unknown]),
        (("--reference", "201"), [booked]),
        (("--provider", "zarinpal"), [unknown, booked]),
        (("--utility", "qom-power"), []),
        (("--from", "1405/06/31"), [unknown]),
        (("--to", "1405/06/30"), [booked, created]),
    ):
        assert listed(peyk("payment", "list", "--json", *options)) == expected, options


def test_a_list_for_people_says_why_one_is_in_doubt(peyk: Peyk, ids: list[int]) -> None:
    """Amounts grouped; and never the link, which is the key to the page."""
    shown = peyk("payment", "list")
    assert "200,000" in shown.out
    assert "no answer" in shown.out
    assert LINK not in shown.out
    assert peyk("payment", "list", "--state", "settled").err == "no such payments\n"


def test_one_order_is_shown(peyk: Peyk, ids: list[int]) -> None:
    """In full, but for the link and the name."""
    found = json.loads(peyk("payment", "show", ids[1], "--json").out)
    assert (found["id"], found["state"], found["amount"], found["reference"]) == (
        str(ids[1]),
        "booked",
        200_000,
        "201",
    )
    assert found["created_at"] == "2026-09-21T14:13:20.000+00:00"
    assert not {"link", "name"} & found.keys()
    assert "booked" in peyk("payment", "show", ids[1]).out


def test_what_there_is_not_is_said(peyk: Peyk, ids: list[int]) -> None:
    """An id of nothing fails; a word that is no state or day is misuse."""
    assert "there is no payment 5" in peyk("payment", "show", 5).err
    assert peyk("payment", "list", "--state", "paid").code == 2
    assert peyk("payment", "list", "--from", "1405/13/01").code == 2


def test_the_daemon_is_asked_to_reconcile(peyk: Peyk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the providers; without it there is nobody to ask."""
    assert "nothing is running" in peyk("payment", "reconcile").err

    def call(_path: Path, command: str, **_options: Any) -> dict[str, Any]:
        assert command == "reconcile_payments"
        return {"asked": 3, "in_doubt": 1}

    monkeypatch.setattr(control, "call", call)
    assert peyk("payment", "reconcile").out == "asked about 3 payment(s); 1 still in doubt\n"
