"""A bar code drawn as SVG: the one under a bill, for the reader at a bank's or a shop's counter.

No document that is public says in which symbology the 26 digits of a bill are printed, only what
they are (DOMAIN: bill ID and payment ID, each of 13 digits). Code 128, of which set C holds two
digits a symbol, is what every reader knows and takes the least room. Pure.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final

from barcode.codex import Code128
from markupsafe import Markup

QUIET: Final = 10
"""Modules without a bar on either side, which a reader needs (ISO/IEC 15417)."""
HEIGHT: Final = 36
"""In modules; 15 % of the width is the least for reading it by hand."""
_PIXELS: Final = 2
"""Of a module, on a screen that has room: whole ones, so that bars keep their widths."""


class _Pairs(Code128):  # type: ignore[misc]  # it has no annotations
    """Digits alone, which begin in set C and stay there."""

    def _try_to_optimize(self, encoded: list[int]) -> list[int]:
        """Nothing: the library takes 99 at the beginning for a change to set C and drops it."""
        return encoded


def bars(digits: str, title: str) -> Markup:
    """``digits`` (an even number of ASCII digits) as a bar code; ``title`` is what it is called.

    Black on white whatever the page's colours are, as readers want it.
    """
    modules = _Pairs(digits).build()[0]
    width = len(modules) + 2 * QUIET
    return Markup(
        '<svg class="bars" viewBox="0 0 {width} {height}" width="{wide}" height="{high}"'
        ' role="img" aria-label="{title}"><path fill="#fff" d="M0 0h{width}v{height}H0z"/>'
        '<path fill="#000" d="{path}"/></svg>'
    ).format(
        width=width,
        height=HEIGHT,
        wide=width * _PIXELS,
        high=HEIGHT * _PIXELS,
        title=title,
        path=_path(modules),
    )


def _path(modules: str) -> str:
    """Each bar as a rectangle, all in one path."""
    parts, at = [], QUIET
    for is_bar, run in groupby(modules, "1".__eq__):
        wide = len(list(run))
        if is_bar:
            parts.append(f"M{at} 0h{wide}v{HEIGHT}h-{wide}z")
        at += wide
    return "".join(parts)
