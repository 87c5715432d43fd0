"""Charts of what came and went, drawn as SVG. Pure.

Two lines over a time axis: what came in (whole) and what went out (dashed), so that nobody
needs to tell colours. Colours and type are the stylesheet's; positions are attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from markupsafe import Markup

from gateway.pulse import Span

WIDTH: Final = 480
HEIGHT: Final = 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 10, 28
_STEPS: Final = (1, 2, 5)
LINES: Final = ("received", "sent")

Label = Callable[[int], str]
"""The words under a point of the axis, by its instant; empty for none."""


def top_of(most: int) -> int:
    """A round number that ``most`` fits under, with a whole half: of 2, 4, 10, 20, 40."""
    scale = 1
    while True:
        for step in _STEPS:
            if most <= step * 2 * scale:
                return step * 2 * scale
        scale *= 10


def chart(
    spans: Sequence[Span], *, key: str, title: str, label: Label, number: Callable[[int], str]
) -> Markup:
    """The chart of ``spans``; ``key`` is the beginning of its ids, ``number`` writes a figure."""
    series = {name: [int(getattr(each.counts, name)) for each in spans] for name in LINES}
    top = top_of(max(max(values) for values in series.values()))
    parts = [
        Markup(
            '<svg class="chart" viewBox="0 0 {width} {height}" role="img"'
            ' aria-labelledby="{key}-title"><title id="{key}-title">{title}</title>'
        ).format(width=WIDTH, height=HEIGHT, key=key, title=title)
    ]
    parts += (_grid(value, top, number) for value in (0, top // 2, top))
    for place, span in enumerate(spans):
        words = label(span.at)
        if words:
            parts.append(
                Markup('<text x="{x}" y="{y}" text-anchor="middle">{words}</text>').format(
                    x=_x(place, len(spans)), y=HEIGHT - 8, words=words
                )
            )
    for name, values in series.items():
        points = " ".join(
            f"{_x(place, len(values))},{_y(value, top)}" for place, value in enumerate(values)
        )
        parts.append(
            Markup('<polyline class="line {name}" points="{points}" fill="none"/>').format(
                name=name, points=points
            )
        )
    return Markup("").join([*parts, Markup("</svg>")])


def _grid(value: int, top: int, number: Callable[[int], str]) -> Markup:
    y = _y(value, top)
    return Markup(
        '<line class="grid" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'
        '<text x="{x}" y="{middle}" text-anchor="end">{words}</text>'
    ).format(left=_LEFT, right=WIDTH - _RIGHT, y=y, x=_LEFT - 6, middle=y + 4, words=number(value))


def _x(place: int, count: int) -> float:
    return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * place / max(1, count - 1), 1)


def _y(value: int, top: int) -> float:
    return round(_TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - value / top), 1)
