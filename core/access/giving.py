"""Who may give whom what: nobody gives more than they have, nor changes who has more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection

from core.access.permissions import Grants, Permission
from core.access.roles import list_roles
from core.access.users import User, UserError, find_user


def check_giving(connection: Connection, by: Grants, held: Iterable[tuple[int, str]]) -> None:
    """Raise ``UserError`` (beyond) for roles that allow what ``by`` does not.

    ``held``: ids of roles, and the utility that each is for.
    """
    permissions = {role.id: role.permissions for role in list_roles(connection)}
    by_utility: defaultdict[str, frozenset[Permission]] = defaultdict(frozenset)
    for role_id, utility in held:
        if role_id not in permissions:
            raise UserError("role", "there is no such role any more")
        by_utility[utility] |= permissions[role_id]
    if not by.covers(Grants(by_utility)):
        raise _beyond()


def check_over(connection: Connection, by: Grants, user_id: int) -> User:
    """The user to be changed. Raises ``UserError``: gone; beyond for who may more than ``by``."""
    user = find_user(connection, user_id)
    if user is None:
        raise UserError("gone", "there is no such user any more")
    if not by.covers(user.grants):
        raise _beyond()
    return user


def _beyond() -> UserError:
    return UserError("beyond", "nobody can give, or change, more than they may do themselves")
