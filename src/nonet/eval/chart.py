"""Means and their intervals as a picture in SVG: a bar a row, a whisker for the interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from nonet.agents.calibration import Interval
from nonet.text import one_line

_LEFT, _WIDTH, _ROW, _TOP, _RIGHT = 330, 480, 22, 44, 170
_COLOURS: Final = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#888888")
"""Paul Tol's bright scheme, which colour-blind people can tell apart."""
_TICKS: Final = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """One row."""

    group: str
    """Rows of one group stand together, under its name."""
    label: str
    value: Interval


def to_svg(bars: Sequence[Bar], title: str) -> str:
    """The picture, on a scale from 0 to 1, or to the largest value."""
    most = max([1.0, *(bar.value.high for bar in bars)])
    groups: dict[str, list[Bar]] = {}
    for bar in bars:
        groups.setdefault(bar.group, []).append(bar)
    labels = list(dict.fromkeys(bar.label for bar in bars))
    parts, y = [_text(10, 22, title, bold=True)], _TOP
    for name, rows in groups.items():
        parts.append(_text(10, y + 12, name, bold=True))
        for bar in rows:
            y += _ROW
            parts += _bar(bar, y, _COLOURS[labels.index(bar.label) % len(_COLOURS)], most)
        y += _ROW + 8
    parts = [*_axis(y, most), *parts]
    return _document(y + 34, parts)


def _bar(bar: Bar, y: int, colour: str, most: float) -> list[str]:
    value = bar.value
    at, low, high = (_LEFT + _WIDTH * max(0.0, each / most) for each in (value.mean, value.low, value.high))
    said = f"{value.mean:.3f} [{value.low:.3f}, {value.high:.3f}]"
    return [
        _text(24, y + 12, bar.label),
        f'<rect x="{_LEFT}" y="{y}" width="{at - _LEFT:.1f}" height="14" fill="{colour}" fill-opacity="0.75"/>',
        _whisker(low, high, y),
        _text(_LEFT + _WIDTH + 10, y + 12, said),
    ]


def _whisker(low: float, high: float, y: int) -> str:
    line = f"M{low:.1f} {y + 7}H{high:.1f}M{low:.1f} {y + 3}V{y + 11}M{high:.1f} {y + 3}V{y + 11}"
    return f'<path d="{line}" stroke="#222222" fill="none"/>'


def _axis(bottom: int, most: float) -> list[str]:
    parts = []
    for tick in range(_TICKS + 1):
        x = _LEFT + _WIDTH * tick / _TICKS
        parts.append(f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#dddddd"/>')
        parts.append(_text(x - 8, bottom + 16, f"{most * tick / _TICKS:.1f}"))
    return parts


def _text(x: float, y: float, text: str, *, bold: bool = False) -> str:
    weight = "bold" if bold else "normal"
    return f'<text x="{x:.0f}" y="{y:.0f}" font-weight="{weight}">{escape(one_line(text, 60))}</text>'


def _document(height: int, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + _RIGHT} {height}"'
        ' font-family="sans-serif" font-size="12">'
    )
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""])
