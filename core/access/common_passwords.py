"""Passwords that are tried first: long enough to be taken, and known to everybody.

Only those of ten characters and more are listed: shorter ones are refused for their length.
Keyboard rows, names of months and teams, words of Iran and of the trade with the usual digits
behind them.
"""

from __future__ import annotations

from typing import Final

_WORDS: Final = (
    "password", "passw0rd", "p@ssword", "p@ssw0rd", "administrator", "admin", "adminadmin",
    "welcome", "letmein", "iloveyou", "qwerty", "qwertyuiop", "asdfghjkl", "zxcvbnm", "zxcvbnm,./",
    "1qaz2wsx", "1qaz2wsx3edc", "q1w2e3r4", "q1w2e3r4t5", "qazwsxedc", "abcd", "abc", "football",
    "baseball", "princess", "sunshine", "superman", "dragon", "monkey", "shadow", "master",
    "changeme", "default", "secret", "test", "demo", "peyk", "payk", "iran", "iranian", "tehran",
    "isfahan", "kerman", "shiraz", "tabriz", "mashhad", "lorestan", "qazvin", "khorramabad",
    "persepolis", "esteghlal", "salam", "salamsalam", "doostetdaram", "asheghetam", "khoda",
    "allah", "bismillah", "mohammad", "hossein", "fatemeh", "zahra", "mahdi", "yaali", "abfa",
    "abfakerman", "water", "power", "fazelab", "sakht", "ghabz", "pishkhan", "پیشخوان", "رمزعبور",
    "سلام", "ایران", "تهران", "گذرواژه", "مدیر",
)  # fmt: skip
_TAILS: Final = (
    "", "!", "1", "12", "123", "1234", "12345", "123456", "1234567", "12345678", "123456789", "@",
    "@123", "@1234", "123!", "1234!", "#123", "110", "313", "2024", "2025", "2026", "1402", "1403",
    "1404", "1405", "00", "000", "01", "0000", "1111", "123123",
)  # fmt: skip

COMMON: Final = frozenset(
    {word + tail for word in _WORDS for tail in _TAILS}
    | {tail + word for word in _WORDS for tail in _TAILS}
    | {"1234512345", "1234554321", "12345678910", "0123456789", "1122334455", "123456789a"}
    | {"123456789q", "987654321a", "1q2w3e4r5t", "1q2w3e4r5t6y", "0987654321", "09876543210"}
    | {"correcthorsebatterystaple", "qwertyuiopasdfghjkl", "qwerty123456", "123qweasdzxc"}
)
"""In lower case, with ASCII digits."""
