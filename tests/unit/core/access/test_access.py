"""Users, sessions, logins, the second factor and the audit log, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from sqlalchemy import Connection, delete, select, text, update
from sqlalchemy.exc import DBAPIError

from core.access import logins, sessions, users
from core.access.audit import Actor, AuditFilter, Entry, Scribe, list_audit
from core.access.giving import check_giving, check_over
from core.access.logins import LockedOut
from core.access.passwords import WeakPassword, check_password, check_strength, hash_password
from core.access.permissions import BUILT_IN, TITLES, Grants, Permission
from core.access.roles import RoleDraft, RoleError, delete_role, ids_of, list_roles, save_role
from core.access.second_factor import new_secret, set_totp, step_of, use_code
from core.access.sessions import Browser, Lifetime
from core.access.users import NewUser, UserError
from core.database import Database
from core.ids import IdMaker
from core.secrecy import Keys, Unsealable
from core.tables.access import audit, login_failures, web_sessions
from core.tables.access import users as users_table
from tests.conftest import NOW_MS, Clock

LIFETIME = Lifetime(idle=60_000, absolute=600_000)
HERE = Browser("192.0.2.1", "a browser")
In = Callable[..., Any]


@pytest.fixture
def run(database: Database) -> In:
    """``run(function, …)`` in a transaction."""
    return lambda function, *arguments, **options: database.transact(
        "test", function, *arguments, **options
    )


def _add(connection: Connection, name: str, *held: tuple[str, str]) -> int:
    ids = ids_of(connection, [role for role, _ in held])
    new = NewUser(name, f"خانم {name}", "hash")
    return users.add_user(connection, new, [(ids[r], place) for r, place in held], NOW_MS)


# --- permissions and roles -----------------------------------------------------------------


def test_grants_are_for_a_utility_or_for_every_one() -> None:
    """What is granted for one is not for another; covering counts all of it."""
    kerman = Grants({"kerman": frozenset({Permission.INBOX_SEE})})
    assert kerman.may(Permission.INBOX_SEE)
    assert kerman.may(Permission.INBOX_SEE, "kerman")
    assert not kerman.may(Permission.INBOX_SEE, "qom")
    assert kerman.scope(Permission.INBOX_SEE) == frozenset({"kerman"})
    assert kerman.scope(Permission.OUTBOX_SEE) == frozenset()
    everywhere = Grants({"": frozenset({Permission.INBOX_SEE})})
    assert everywhere.scope(Permission.INBOX_SEE) is None
    assert everywhere.covers(kerman)
    assert not kerman.covers(everywhere)
    assert set(TITLES) == set(Permission)


def test_built_in_roles_are_the_code_s(run: In) -> None:
    """They are in every database, and cannot be edited or deleted."""
    found = {role.name: role for role in run(list_roles)}
    assert {name: role.permissions for name, role in found.items()} == {
        name: role.permissions for name, role in BUILT_IN.items()
    }
    viewer = found["viewer"]
    draft = RoleDraft("viewer", "x", list(Permission))
    for change in (
        lambda c: save_role(c, viewer.id, draft, 1),
        lambda c: delete_role(c, viewer.id),
    ):
        with pytest.raises(RoleError) as refused:
            run(change)
        assert refused.value.key == "built_in"


def test_a_role_that_somebody_has_stays(run: In) -> None:
    """And no two have one name; what a newer version knew of a role is left out."""
    role_id = run(save_role, None, RoleDraft("night", "شب", [Permission.INBOX_SEE]), 1)
    with pytest.raises(RoleError, match="already"):
        run(save_role, None, RoleDraft("night", "x", []), 1)
    run(_add, "a", ("night", ""))
    with pytest.raises(RoleError, match="1 user"):
        run(delete_role, role_id)
    raw = text('UPDATE roles SET permissions = \'["inbox.see", "of.tomorrow"]\' WHERE id = :id')
    run(lambda connection: connection.execute(raw, {"id": role_id}))
    assert run(users.user_named, "a").grants.may(Permission.INBOX_SEE)


# --- users ----------------------------------------------------------------------------------


def test_the_last_administrator_stays(run: In) -> None:
    """Neither disabled nor made something else; one of a single utility does not count."""
    boss = run(_add, "boss", ("administrator", ""))
    run(_add, "kerman", ("administrator", "kerman-water"))
    for act in (
        lambda c: users.disable_user(c, boss, NOW_MS),
        lambda c: users.change_user(c, boss, title="x", language="fa", office="", held=[]),
    ):
        with pytest.raises(UserError) as refused:
            run(act)
        assert refused.value.key == "last"
    run(_add, "second", ("administrator", ""))
    run(users.disable_user, boss, NOW_MS)
    assert run(users.find_user, boss).disabled_at == NOW_MS


def test_nobody_gives_or_changes_more_than_they_have(run: In) -> None:
    """Roles for one utility are worth nothing for another."""
    run(_add, "boss", ("administrator", ""))
    kerman = run(users.user_named, "kerman") or run(
        lambda c: users.find_user(c, _add(c, "kerman", ("administrator", "kerman-water")))
    )
    ids = run(ids_of, ["viewer", "administrator"])
    run(check_giving, kerman.grants, [(ids["administrator"], "kerman-water")])
    for held in ([(ids["viewer"], "qom-power")], [(ids["viewer"], "")]):
        with pytest.raises(UserError, match="more than"):
            run(check_giving, kerman.grants, held)
    boss = run(users.user_named, "boss")
    with pytest.raises(UserError, match="more than"):
        run(check_over, kerman.grants, boss.id)
    assert run(check_over, boss.grants, kerman.id).name == "kerman"


# --- passwords ------------------------------------------------------------------------------


def test_a_password_is_the_same_on_every_keyboard() -> None:
    """Persian digits are digits; nothing else is forgiven, and nobody has no password."""
    stored = hash_password("رمز دراز ۱۴۰۵")
    assert stored.startswith("$argon2id$")
    assert check_password(stored, "رمز دراز 1405")
    assert not check_password(stored, "رمز دراز 1406")
    assert not check_password(stored, "x" * 1_000_000)
    assert not check_password(None, "anything at all")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "short"),
        ("x" * 201, "long"),
        ("Password1234", "common"),
        ("aaaaaaaaaaaa", "common"),
        ("abcdefghijkl", "common"),
        ("karimikarimi1", "name"),
    ],
)
def test_what_is_soon_guessed_is_not_taken(password: str, why: str) -> None:
    """With the reason, for words in both languages."""
    with pytest.raises(WeakPassword) as weak:
        check_strength(password, "m.karimi", "مریم Karimi")
    assert weak.value.key == why
    check_strength("اسب درست باتری گیره", "m.karimi")


# --- sessions -------------------------------------------------------------------------------


def test_a_session_ends_by_itself(run: In) -> None:
    """When nothing was done, when it is old, and when its user is disabled."""
    run(_add, "boss", ("administrator", ""))
    user = run(_add, "a", ("viewer", ""))

    def begin() -> str:
        token: str = run(sessions.begin_session, user, HERE, LIFETIME, NOW_MS, verified=True)
        return token

    token = begin()
    assert token not in str(run(lambda c: c.execute(select(web_sessions)).all()))
    session = run(sessions.find_session, token, LIFETIME, NOW_MS + 59_999)
    assert session.user.grants.may(Permission.INBOX_SEE)
    assert run(sessions.find_session, token, LIFETIME, NOW_MS + 60_000) is None
    for minute in range(1, 10):
        run(sessions.touch_session, session.id, NOW_MS + minute * 60_000)
    assert run(sessions.find_session, token, LIFETIME, NOW_MS + 599_999)
    assert run(sessions.find_session, token, LIFETIME, NOW_MS + 600_000) is None
    assert run(sessions.find_session, "another", LIFETIME, NOW_MS) is None
    run(users.disable_user, user, NOW_MS)
    assert run(sessions.find_session, token, LIFETIME, NOW_MS + 599_999) is None
    run(users.enable_user, user)
    begin()
    assert run(sessions.drop_old_sessions, NOW_MS + 600_000) == 1


def test_a_new_password_ends_every_other_session(run: In) -> None:
    """And the one in which it was changed goes on."""
    user = run(_add, "a", ("viewer", ""))
    tokens = [
        run(sessions.begin_session, user, HERE, LIFETIME, NOW_MS, verified=True) for _ in "abc"
    ]
    kept = run(sessions.find_session, tokens[1], LIFETIME, NOW_MS)
    run(users.set_password, user, "new", NOW_MS, but_session=kept.id)
    alive = [bool(run(sessions.find_session, token, LIFETIME, NOW_MS)) for token in tokens]
    assert alive == [False, True, False]


# --- logging in -----------------------------------------------------------------------------


def test_guessing_is_stopped_by_name_and_by_address(run: In, now_ms: Clock) -> None:
    """Names that nobody has are counted too; the window moves on by itself."""
    run(_add, "a", ("viewer", ""))
    for _ in range(logins.MOST_OF_NAME):
        assert run(logins.begin_attempt, "A ", "192.0.2.1", now_ms()).user_id is not None
        now_ms.advance(60)
    with pytest.raises(LockedOut) as locked:
        run(logins.begin_attempt, "a", "192.0.2.99", now_ms())
    assert locked.value.seconds == 600
    now_ms.advance(599)
    with pytest.raises(LockedOut):
        run(logins.begin_attempt, "a", "192.0.2.99", now_ms())
    now_ms.advance(1)
    run(logins.begin_attempt, "a", "192.0.2.99", now_ms())
    for number in range(logins.MOST_OF_ADDRESS):
        assert run(logins.begin_attempt, f"n{number}", "198.51.100.7", now_ms()).user_id is None
    with pytest.raises(LockedOut):
        run(logins.begin_attempt, "a", "198.51.100.7", now_ms())
    run(logins.forget_failures, "n1")
    run(logins.begin_attempt, "b", "198.51.100.7", now_ms())
    now_ms.advance(3600)
    assert run(logins.drop_old_failures, now_ms()) > 0
    assert run(lambda c: c.execute(select(login_failures)).all()) == []


def test_a_code_works_once(run: In, keys: Keys, now_ms: Clock) -> None:
    """Half a minute early or late, and never again, nor one before it."""
    user = run(_add, "a", ("viewer", ""))
    secret = new_secret()
    at = pyotp.TOTP(secret).at
    seconds = now_ms() // 1000
    step = step_of(secret, at(seconds), now_ms())
    assert step == seconds // 30
    run(set_totp, keys, user, secret, step - 2)
    stored = run(lambda c: c.execute(select(users_table.c.totp_secret)).scalar_one())
    assert secret not in stored

    def use(code: str) -> bool:
        return bool(run(use_code, keys, user, code, now_ms()))

    assert not use("000000" if at(seconds) != "000000" else "111111")
    assert not use(at(seconds - 60))
    assert use(at(seconds - 30))
    assert use(at(seconds + 30))
    assert not use(at(seconds + 30))
    assert not use(at(seconds))
    now_ms.advance(60)
    assert use(f" {at(seconds + 60)[:3]} {at(seconds + 60)[3:]} ")


def test_what_is_sealed_is_for_one_purpose(keys: Keys) -> None:
    """Another key or purpose opens nothing."""
    sealed = keys.seal("a", "text")
    assert sealed != keys.seal("a", "text")
    assert keys.unseal("a", sealed) == "text"
    for opener, purpose in ((keys, "b"), (Keys(b"k" * 32), "a")):
        with pytest.raises(Unsealable):
            opener.unseal(purpose, sealed)


# --- the audit log --------------------------------------------------------------------------


def test_what_is_written_down_stays(run: In, now_ms: Clock) -> None:
    """Neither changed nor deleted by any statement; found by everything it is asked by."""
    scribe = Scribe(IdMaker(1, now_ms))
    boss = Actor("boss", "192.0.2.1", 7)
    run(
        scribe.write,
        now_ms(),
        boss,
        Entry("template.edit", "template:1", "kerman-water", {"name": "قبض"}),
        Entry("templates.x", "template:1"),
    )
    now_ms.advance(10)
    run(scribe.write, now_ms(), Actor("command:root"), Entry("login", "", "qom-power"))
    for statement in (
        update(audit).values(who="x"),
        delete(audit),
        text("INSERT OR REPLACE INTO audit SELECT * FROM audit"),
    ):
        with pytest.raises(DBAPIError, match=r"append-only|syntax error"):
            run(lambda c, s=statement: c.execute(s))

    def found(**wanted: Any) -> list[str]:
        return [row.action for row in run(list_audit, AuditFilter(**wanted))]

    assert found() == ["login", "templates.x", "template.edit"]
    assert found(form="template") == ["template.edit"]
    assert found(who="boss", limit=1) == ["templates.x"]
    assert found(object="template:1") == ["templates.x", "template.edit"]
    assert found(utilities=["kerman-water"]) == ["template.edit"]
    assert found(since=now_ms()) == ["login"]
    assert found(until=now_ms()) == ["templates.x", "template.edit"]
    newest = run(list_audit, AuditFilter())[0]
    assert found(before=newest.id) == ["templates.x", "template.edit"]
    assert run(list_audit, AuditFilter(form="template"))[0].details == {"name": "قبض"}
