"""Mobiles that act for subscriptions: registering, listing, removing; and the status of one."""

from __future__ import annotations

from sqlalchemy import update

from core.calls import DONE, Argument, Call, Refusal
from core.database import Database
from core.history import MOST_ROWS
from core.ids import IdMaker
from core.secrecy import Keys
from core.tables import contact_confirmations, contacts
from core.tables import subscribers as subscriber_rows
from tests.conftest import CountStatements
from tests.unit.core.requests.conftest import (
    DAY,
    MINE,
    NOW,
    STRANGER,
    TWO_HOUSES,
    Ask,
    happened,
    rows,
    shown,
    together,
)

FREE = {"number": "10000003", "code": "4321"}
"""A subscription that has no mobile yet."""
TAKEN = {"number": "10000001", "code": "4321"}
"""One that has two."""


def mobiles(utility: Database) -> set[tuple[str, int]]:
    """Which mobile acts for which subscription."""
    return {(row[0], row[1]) for row in rows(utility, contacts, "mobile", "subscriber_id")}


def test_the_first_mobile_is_registered_at_once(ask: Ask, utility: Database) -> None:
    """With the code; and from then on it needs none."""
    assert shown(ask("register_mobile", **FREE), "number", "count") == (DONE, "10000003", 1)
    assert (STRANGER, 3) in mobiles(utility)
    assert ask("list_mobiles").kind == DONE
    assert happened(utility) == [
        ("mobile_registered", 3, STRANGER, {"number": "10000003", "mobile": "0913***9999"})
    ]


def test_one_more_mobile_is_registered_when_it_asks_again(ask: Ask, utility: Database) -> None:
    """The first text only asks; the second confirms it."""
    assert shown(ask("register_mobile", **TAKEN), "count") == (Refusal.CONFIRM_MOBILE, 2)
    assert (STRANGER, 1) not in mobiles(utility)
    again = ask("register_mobile", at=NOW + DAY, **TAKEN)
    assert shown(again, "count") == (DONE, 3)
    assert (STRANGER, 1) in mobiles(utility)
    assert rows(utility, contact_confirmations, "id") == []


def test_a_confirmation_comes_from_the_same_mobile_and_in_time(ask: Ask) -> None:
    """A day and a millisecond later it is a first text again."""
    ask("register_mobile", **TAKEN)
    assert ask("register_mobile", "989137777777", **TAKEN).kind == Refusal.CONFIRM_MOBILE
    late = ask("register_mobile", at=NOW + DAY + 1, **TAKEN)
    assert late.kind == Refusal.CONFIRM_MOBILE
    assert ask("register_mobile", at=NOW + DAY + 2, **TAKEN).kind == DONE


def test_a_confirmation_may_wait_in_the_same_batch(
    utility: Database, keys: Keys, ids: IdMaker
) -> None:
    """And what follows in it sees the mobile registered."""
    said = {Argument(name): value for name, value in TAKEN.items()}
    register, own = Call("register_mobile", said), Call("my_subscriptions", {})
    found = together(
        utility, keys, ids, *((STRANGER, NOW + i, register) for i in range(3)),
        (STRANGER, NOW + 9, own),
    )  # fmt: skip
    assert [one.kind for one in found] == [
        Refusal.CONFIRM_MOBILE, DONE, Refusal.ALREADY_REGISTERED, DONE,
    ]  # fmt: skip
    assert found[-1].facts["rows"] == ({"number": "10000001"},)
    assert rows(utility, contact_confirmations, "id") == []


def test_a_mobile_is_registered_once(ask: Ask, utility: Database) -> None:
    """Asking again says so and changes nothing."""
    assert shown(ask("register_mobile", MINE, **TAKEN), "number") == (
        Refusal.ALREADY_REGISTERED,
        "10000001",
    )
    assert happened(utility) == []


def test_only_the_code_registers_a_mobile(ask: Ask, utility: Database) -> None:
    """Whoever has it sees personal data from then on."""
    before = mobiles(utility)
    for said, refusal in (
        ({"number": "10000003"}, Refusal.CODE_NEEDED),
        ({"number": "10000003", "code": "1111"}, Refusal.NOT_RECOGNISED),
        ({"number": "19999999", "code": "4321"}, Refusal.NOT_RECOGNISED),
        ({}, Refusal.NOT_REGISTERED),
    ):
        assert ask("register_mobile", **said).kind == refusal
    assert mobiles(utility) == before


def test_mobiles_are_listed_masked_and_in_order(ask: Ask) -> None:
    """Whoever stole a phone learns no other number from it."""
    outcome = ask("list_mobiles", **TAKEN)
    assert shown(outcome, "number", "count", "rows", "next") == (
        DONE,
        "10000001",
        2,
        ({"mobile": "0913***0001"}, {"mobile": "0913***0002"}),
        "",
    )
    assert ask("list_mobiles", number="10000001").kind == Refusal.CODE_NEEDED


def test_a_long_list_goes_on_where_it_stopped(ask: Ask, utility: Database) -> None:
    """From the row that was asked for on."""
    values = [
        {"utility": "lorestan-water", "mobile": f"9891200000{i:02}", "subscriber_id": 3,
         "source": "import", "created_at": i}
        for i in range(MOST_ROWS + 3)
    ]  # fmt: skip
    utility.transact("fill", lambda c: c.execute(contacts.insert(), values))
    first = ask("list_mobiles", **FREE)
    assert (len(first.facts["rows"]), first.facts["next"]) == (MOST_ROWS, MOST_ROWS + 1)  # type: ignore[arg-type]
    rest = ask("list_mobiles", start=str(first.facts["next"]), **FREE)
    assert [row["mobile"] for row in rest.facts["rows"]] == [  # type: ignore[union-attr, index]
        f"0912***00{MOST_ROWS + i:02}" for i in range(3)
    ]
    beyond = ask("list_mobiles", start="9999", **FREE)
    assert shown(beyond, "count") == (Refusal.NO_MORE, MOST_ROWS + 3)


def test_my_subscriptions_are_those_of_the_mobile(ask: Ask) -> None:
    """One mobile, several subscriptions; a stranger has none."""
    assert shown(ask("my_subscriptions", TWO_HOUSES), "count", "rows") == (
        DONE,
        2,
        ({"number": "10000001"}, {"number": "10000002"}),
    )
    assert ask("my_subscriptions").kind == Refusal.NOT_REGISTERED


def test_a_mobile_takes_itself_off(ask: Ask, utility: Database) -> None:
    """It says which when it is registered to several; the others stay."""
    assert ask("remove_mobile", TWO_HOUSES).kind == Refusal.WHICH_SUBSCRIPTION
    outcome = ask("remove_mobile", TWO_HOUSES, number="10000001")
    assert shown(outcome, "number", "mobile") == (DONE, "10000001", "0913***0002")
    assert mobiles(utility) == {(MINE, 1), (TWO_HOUSES, 2)}
    assert [row[0] for row in happened(utility)] == ["mobile_removed"]


def test_the_owner_takes_another_mobile_off(ask: Ask, utility: Database) -> None:
    """The number in any form; with the code, or from a registered mobile."""
    assert ask("remove_mobile", off=TWO_HOUSES).kind == Refusal.NOT_REGISTERED
    outcome = ask("remove_mobile", MINE, off="09130000002")
    assert shown(outcome, "mobile") == (DONE, "0913***0002")
    assert mobiles(utility) == {(MINE, 1), (TWO_HOUSES, 2)}


def test_a_mobile_that_is_not_there_cannot_be_taken_off(ask: Ask) -> None:
    """The answer says so, and nothing happens."""
    for other in ("989131111111", "12", "091300000020"):
        assert ask("remove_mobile", off=other, **TAKEN).kind == Refusal.NOT_SUBSCRIBED


def test_off_and_on_again_in_one_batch(utility: Database, keys: Keys, ids: IdMaker) -> None:
    """The last word counts: it asks as a new mobile does, for the other one is there."""
    said = {Argument(name): value for name, value in TAKEN.items()}
    off, on = Call("remove_mobile", said), Call("register_mobile", said)
    kinds = [
        one.kind
        for one in together(
            utility, keys, ids, *((MINE, NOW + i, call) for i, call in enumerate((off, on, on)))
        )
    ]
    assert kinds == [DONE, Refusal.CONFIRM_MOBILE, DONE]
    assert (MINE, 1) in mobiles(utility)


def test_the_number_of_statements_does_not_grow_with_the_batch(
    utility: Database, keys: Keys, ids: IdMaker, count_statements: CountStatements
) -> None:
    """One mobile or forty."""
    said = {Argument(name): value for name, value in TAKEN.items()}

    def count(first: int, size: int) -> int:
        calls = [
            (f"98912{first + i:07}", NOW, Call(name, said))
            for i in range(size)
            for name in ("register_mobile", "register_mobile", "list_mobiles", "remove_mobile")
        ]
        with count_statements(utility) as counted:
            together(utility, keys, ids, *calls)
        return counted.total

    one = count(0, 1)
    assert count(10, 40) <= one


def test_the_status_of_a_subscription_names_its_owner_to_nobody_else(
    ask: Ask, utility: Database
) -> None:
    """By code or registered mobile in full; seed 002 keeps it from the public."""
    names = ("number", "state", "usage", "units", "capacity", "name")
    expected = (DONE, "10000001", "active", "home", 1, "", "علی محمدی")
    assert shown(ask("status_enquiry", **TAKEN), *names) == expected
    assert shown(ask("status_enquiry", MINE), *names) == expected
    assert ask("status_enquiry", number="10000001").kind == Refusal.CODE_NEEDED
    utility.transact(
        "state", lambda c: c.execute(update(subscriber_rows).values(state="cut", capacity=20))
    )
    assert shown(ask("status_enquiry", MINE), "state", "capacity") == (DONE, "cut", 20)
