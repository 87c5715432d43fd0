"""Keyed hashes of what must not be stored, and seals for what must be and nobody may read."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from hashlib import blake2b, sha256

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
"""The least a key may have."""


class Unsealable(Exception):
    """What was sealed under another key, for another purpose, or was changed since."""


class Keys:
    """Hashes and seals under keys derived from one master key that never enters the database."""

    def __init__(self, master: bytes) -> None:
        if len(master) < KEY_BYTES:
            raise ValueError(f"the key has {len(master)} bytes; it needs at least {KEY_BYTES}")
        self._master = master
        # One key for each purpose, so that a hash of one kind is of no use as the other.
        self._code = blake2b(key=sha256(b"peyk code " + master).digest(), digest_size=16)
        self._mark = blake2b(key=sha256(b"peyk fingerprint " + master).digest(), digest_size=8)

    def code_hash(self, utility: str, number: str, code: str) -> str:
        """What is stored of a secret code: 32 hex digits, different for each subscription."""
        state = self._code.copy()
        state.update(f"{utility}\0{number}\0{code}".encode())
        return state.hexdigest()

    def code_matches(self, stored: str | None, utility: str, number: str, code: str) -> bool:
        """Whether ``code`` is the one whose hash was stored; takes the same time either way."""
        # A subscription without a code is compared too, so that timing does not show it.
        return hmac.compare_digest(stored or "-" * 32, self.code_hash(utility, number, code))

    def fingerprint(self, *fields: bytes) -> int:
        """63 bits that are equal for two arrivals when all their fields are."""
        state = self._mark.copy()
        for field in fields:
            state.update(len(field).to_bytes(4, "big") + field)
        return int.from_bytes(state.digest(), "big") >> 1

    def seal(self, purpose: str, text: str) -> str:
        """``text`` encrypted, to be opened for the same purpose alone; never twice the same."""
        return self._box(purpose).encrypt(text.encode()).decode()

    def unseal(self, purpose: str, sealed: str) -> str:
        """What was sealed. Raises ``Unsealable``."""
        try:
            return self._box(purpose).decrypt(sealed.encode()).decode()
        except (InvalidToken, ValueError):
            raise Unsealable(f"a {purpose} was sealed under another key") from None

    def sign(self, purpose: str, text: str) -> str:
        """64 hex digits that nobody else can make for ``text``."""
        return hmac.digest(self._derived(f"sign {purpose}"), text.encode(), "sha256").hex()

    def _box(self, purpose: str) -> Fernet:
        return Fernet(urlsafe_b64encode(self._derived(f"seal {purpose}")))

    def _derived(self, purpose: str) -> bytes:
        hkdf = HKDF(SHA256(), length=32, salt=None, info=f"peyk {purpose}".encode())
        return hkdf.derive(self._master)
