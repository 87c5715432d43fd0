"""What ``peyk user`` does: each in one transaction, with its line in the audit log.

Whoever may run the command on the daemon's machine is above every permission of the desk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from core.access import users
from core.access.audit import Actor, Entry, Scribe
from core.access.permissions import ADMINISTRATOR, EVERY_UTILITY
from core.access.roles import ids_of
from core.access.second_factor import reset_totp
from core.access.users import NewUser, User, UserError, user_named


class By(NamedTuple):
    """Who does it, when, and who writes it down."""

    scribe: Scribe
    actor: Actor
    now_ms: int

    def note(self, connection: Connection, action: str, name: str, **details: object) -> None:
        """Write a line about a user."""
        entry = Entry(action, f"user:{name}", "", details)
        self.scribe.write(connection, self.now_ms, self.actor, entry)


class Shift(NamedTuple):
    """Roles that are given and taken, for a utility's data (``EVERY_UTILITY``: every one's)."""

    give: Sequence[str]
    take: Sequence[str]
    utility: str


def add(
    connection: Connection, by: By, new: NewUser, roles: Sequence[str], utility: str
) -> Sequence[str]:
    """Make a user; the first of all is an administrator. The roles that it got.

    Raises ``UserError`` and ``RoleError``.
    """
    if not roles:
        if not users.is_first(connection):
            raise UserError("role", "name a role with --role; `peyk user roles` lists them")
        roles, utility = [ADMINISTRATOR], EVERY_UTILITY
    held = [(each, utility) for each in ids_of(connection, roles).values()]
    users.add_user(connection, new, held, by.now_ms)
    by.note(connection, "user.add", new.name, roles=list(roles), utility=utility)
    return roles


def change_roles(connection: Connection, by: By, name: str, shift: Shift) -> User:
    """Give somebody roles for a utility's data, and take others. Raises as ``add``."""
    give, take, utility = shift
    user = named(connection, name)
    ids = ids_of(connection, [*give, *take])
    taken = {(ids[each], utility) for each in take}
    held = [(each.role_id, each.utility) for each in user.held]
    kept = [each for each in held if each not in taken]
    kept += [(ids[each], utility) for each in give]
    users.change_user(
        connection,
        user.id,
        title=user.title,
        language=user.language,
        office=user.office,
        held=kept,
    )
    by.note(connection, "user.edit", name, given=list(give), taken=list(take), utility=utility)
    return named(connection, name)


def disable(connection: Connection, by: By, name: str) -> None:
    """Let somebody in no more. Raises ``UserError``."""
    users.disable_user(connection, named(connection, name).id, by.now_ms)
    by.note(connection, "user.disable", name)


def enable(connection: Connection, by: By, name: str) -> None:
    """Let somebody in again. Raises ``UserError``."""
    users.enable_user(connection, named(connection, name).id)
    by.note(connection, "user.enable", name)


def give_password(connection: Connection, by: By, name: str, password_hash: str) -> None:
    """A new password; sessions end, and a lock is lifted. Raises ``UserError``."""
    users.set_password(connection, named(connection, name).id, password_hash, by.now_ms)
    by.note(connection, "user.password", name)


def forget_totp(connection: Connection, by: By, name: str) -> None:
    """No second factor any more; sessions end. Raises ``UserError``."""
    user = named(connection, name)
    reset_totp(connection, user.id)
    users.end_sessions(connection, user.id)
    by.note(connection, "user.totp", name)


def named(connection: Connection, name: str) -> User:
    """The user of a name. Raises ``UserError``."""
    user = user_named(connection, name)
    if user is None:
        raise UserError("gone", f"there is no user {name!r}; `peyk user list` has them all")
    return user
