"""``peyk webhook``: receivers added and changed by command."""

from __future__ import annotations

from core.database import Database
from core.webhooks.store import PURPOSE, list_webhooks
from tests.commands import Peyk

URL = "https://crm.example.ir/peyk"


def test_a_webhook_is_added_listed_and_changed(peyk: Peyk, database: Database) -> None:
    """Its secret goes to standard output, once and alone, so that it can be piped."""
    added = peyk("webhook", "add", "crm", "--url", URL, "--topic", "inbound", "--utility",
                 "kerman-water", "--topic", "event.*")  # fmt: skip
    assert added.code == 0
    secret = added.out.strip()
    assert len(secret) > 40
    (listed,) = peyk("webhook", "list", "--json").json
    assert (listed["name"], listed["state"], listed["topics"]) == (
        "crm", "told", ["event.*", "inbound"],
    )  # fmt: skip
    assert listed["utility"] == "kerman-water"
    assert secret not in peyk("webhook", "list").out
    (stored,) = database.read("list", list_webhooks)
    assert secret not in (stored.sealed, PURPOSE)
    assert peyk("webhook", "disable", "crm").code == 0
    assert peyk("webhook", "list", "--json").json[0]["state"] == "disabled"
    assert "is told what happens" in peyk("webhook", "enable", "crm").out
    assert peyk("webhook", "calls", "crm", "--json").json == []
    assert peyk("webhook", "remove", "crm").code == 0
    assert peyk("webhook", "list", "--json").json == []


def test_mistakes_are_answered_with_what_to_do(peyk: Peyk) -> None:
    """An address that is not encrypted, a topic that there is not, a name that nobody has."""
    for url, words in (
        ("http://crm.example.ir/", "is not encrypted"),
        ("ftp://crm.example.ir/", "is not an address"),
        ("https://me:secret@crm.example.ir/", "a user, a password"),
        ("https://crm.example.ir/a b", "signs that an address cannot have"),
    ):
        refused = peyk("webhook", "add", "crm", "--url", url, "--topic", "inbound")
        assert refused.code == 2
        assert words in refused.err.replace("\n", " ")
    wrong = peyk("webhook", "add", "crm", "--url", URL, "--topic", "inbond")
    assert wrong.code == 2
    assert "did you mean 'inbound'?" in wrong.err
    assert "event.bill_issued" in peyk("webhook", "topics").out
    nobody = peyk("webhook", "disable", "nobody")
    assert nobody.code == 1
    assert "no webhook 'nobody'" in nobody.err
