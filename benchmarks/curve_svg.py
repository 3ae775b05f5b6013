"""A line chart as SVG, readable on light and on dark ground; for shares from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 60, 130, 20, 50
COLOURS = ("#888888", "#2f7ed8", "#e08a1e", "#3aa655")
DASHES = ("6 4", "", "2 3", "8 3 2 3")


@dataclass(frozen=True)
class Curve:
    """A named line of (x, y)."""

    name: str
    points: Sequence[tuple[float, float]]


def draw(curves: Sequence[Curve], *, x: str, y: str) -> str:
    """The picture; x spans the points, y runs from 0 to 1."""
    every = [point[0] for curve in curves for point in curve.points]
    low, high = min(every), max(every)

    def across(value: float) -> float:
        return LEFT + (value - low) / ((high - low) or 1) * (WIDTH - LEFT - RIGHT)

    def down(value: float) -> float:
        return HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM)

    head = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13"'
    parts = [
        f'<svg {head} role="img" aria-label="{y} by {x}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for tick in range(11):
        level = down(tick / 10)
        parts.append(f'<path d="M{LEFT} {level:.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>')
        if tick % 2 == 0:
            parts.append(f'<text x="{LEFT - 8}" y="{level + 4:.1f}" text-anchor="end">{tick / 10:.1f}</text>')
    parts += [
        f'<text x="{across(value):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{value:.1f}</text>'
        for value in sorted(set(every))
    ]
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{x}</text>')
    parts.append(f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{y}</text>')
    for number, (curve, colour, dash) in enumerate(zip(curves, COLOURS, DASHES, strict=False)):
        line = " ".join(f"{across(a):.1f},{down(b):.1f}" for a, b in sorted(curve.points))
        style = f'stroke="{colour}" stroke-width="2.5" stroke-dasharray="{dash}"'
        parts.append(f'<polyline points="{line}" fill="none" {style}/>')
        place = TOP + 16 + 22 * number
        start = WIDTH - RIGHT + 12
        parts.append(
            f'<path d="M{start} {place - 4}h26" {style}/><text x="{start + 32}" y="{place}">{curve.name}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
