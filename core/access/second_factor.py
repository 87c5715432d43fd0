"""The second factor: codes of six digits that change every half minute (RFC 6238)."""

from __future__ import annotations

import hmac
from typing import Final

import pyotp
from sqlalchemy import Connection, or_, select, update

from core.access.users import UserError
from core.secrecy import Keys
from core.tables.access import users
from core.text import ascii_digits

_SECONDS: Final = 30
_STEPS: Final = (0, -1, 1)
"""A code is good half a minute before and after its time: telephones' clocks differ."""
_PURPOSE: Final = "second factor"
ISSUER: Final = "Peyk"


def new_secret() -> str:
    """A secret to share with somebody's telephone."""
    return pyotp.random_base32()


def address_of(secret: str, name: str) -> str:
    """What a QR code says of it: ``otpauth://totp/…``."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def step_of(secret: str, code: str, now_ms: int) -> int | None:
    """Which half minute the code is of; None for a wrong one."""
    digits = "".join(ascii_digits(code).split())
    totp = pyotp.TOTP(secret, interval=_SECONDS)
    now = now_ms // 1000 // _SECONDS
    found = None
    for shift in _STEPS:
        if hmac.compare_digest(totp.at((now + shift) * _SECONDS).encode(), digits.encode()):
            found = now + shift
    return found


def use_code(connection: Connection, keys: Keys, user_id: int, code: str, now_ms: int) -> bool:
    """Whether the code is right, and was not used before; then it is used up."""
    sealed = connection.execute(select(users.c.totp_secret).where(users.c.id == user_id)).scalar()
    if sealed is None:
        return False
    step = step_of(keys.unseal(_PURPOSE, sealed), code, now_ms)
    if step is None:
        return False
    used = connection.execute(
        update(users)
        .where(users.c.id == user_id, or_(users.c.totp_step.is_(None), users.c.totp_step < step))
        .values(totp_step=step)
    )
    return bool(used.rowcount)


def set_totp(connection: Connection, keys: Keys, user_id: int, secret: str, step: int) -> None:
    """Ask somebody for codes from now on; the one that proved the telephone is used up."""
    _set(connection, user_id, keys.seal(_PURPOSE, secret), step)


def reset_totp(connection: Connection, user_id: int) -> None:
    """Ask somebody for no codes any more. Raises ``UserError`` for who is gone."""
    _set(connection, user_id, None, None)


def _set(connection: Connection, user_id: int, secret: str | None, step: int | None) -> None:
    done = connection.execute(
        update(users).where(users.c.id == user_id).values(totp_secret=secret, totp_step=step)
    )
    if not done.rowcount:
        raise UserError("gone", "there is no such user any more")
