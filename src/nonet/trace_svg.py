"""A timeline as a picture: a row a slot and a subtask, a colour a model, loading dark, waiting pale."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from nonet.graphs.timeline import Span
from nonet.text import clean

_LEFT, _WIDTH, _ROW, _GAP, _TOP = 190, 1000, 18, 12, 34
_COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#888888")
"""Paul Tol's bright scheme, which colour-blind people can tell apart."""
_STYLES = {"wait": ("#d8d8d8", 0.45), "load": ("#222222", 0.45), "prompt": ("#ffffff", 0.35)}
_TICKS = 8
_LONGEST_LABEL = 28
_LONGEST_TITLE = 120


def to_svg(spans: Sequence[Span], title: str) -> str:
    """The picture; times are from its beginning."""
    drawn = [span for span in spans if span.kind != "attempt"]
    if not drawn:
        return _document(40, [_text(10, 24, f"{title}: no calls were made", most=_LONGEST_TITLE)])
    began_s = min(span.began_s for span in drawn)
    scale = _WIDTH / max(max(span.ended_s for span in drawn) - began_s, 1e-3)
    models = sorted({_model(span) for span in drawn if span.kind == "call"})
    colours = {model: _COLOURS[number % len(_COLOURS)] for number, model in enumerate(models)}
    rows = _rows(drawn)
    parts = [_text(10, 20, title, most=_LONGEST_TITLE)]
    heights: dict[tuple[str, str], int] = {}
    y = _TOP
    for group, names in rows.items():
        y += _GAP
        parts.append(_text(10, y + 4, group, weight="bold"))
        for name in names:
            y += _ROW
            heights[group, name] = y
            parts.append(_text(20, y + 4, name))
    parts += [_bar(span, heights[span.group, span.row], began_s, scale, colours) for span in drawn]
    bottom = y + _ROW
    parts += _axis(bottom, scale)
    parts += _legend(bottom + 40, colours)
    return _document(bottom + 60, parts)


def _rows(spans: Sequence[Span]) -> dict[str, list[str]]:
    """Hosts first, then runs; their rows in order."""
    rows: dict[str, list[str]] = {}
    for span in sorted(spans, key=lambda span: (not span.group.startswith("host"), span.group, span.row)):
        names = rows.setdefault(span.group, [])
        if span.row not in names:
            names.append(span.row)
    return rows


def _model(span: Span) -> str:
    return str(span.facts.get("model", span.name))


def _bar(span: Span, y: int, began_s: float, scale: float, colours: dict[str, str]) -> str:
    colour, opacity = _STYLES.get(span.kind, (colours.get(_model(span), "none"), 1.0))
    if span.kind == "answer":
        return ""
    x = _LEFT + (span.began_s - began_s) * scale
    width = max((span.ended_s - span.began_s) * scale, 0.5)
    told = f"{span.name}: {span.ended_s - span.began_s:.2f} s"
    return (
        f'<rect x="{x:.1f}" y="{y - 8}" width="{width:.1f}" height="{_ROW - 4}" fill="{colour}"'
        f' fill-opacity="{opacity}"><title>{_safe(told)}</title></rect>'
    )


def _axis(y: int, scale: float) -> list[str]:
    parts = [f'<line x1="{_LEFT}" y1="{y}" x2="{_LEFT + _WIDTH}" y2="{y}" stroke="#999999"/>']
    for tick in range(_TICKS + 1):
        x = _LEFT + _WIDTH * tick / _TICKS
        parts.append(f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{y}" stroke="#eeeeee"/>')
        parts.append(_text(x - 10, y + 16, f"{_WIDTH * tick / _TICKS / scale:.1f} s"))
    return parts


def _legend(y: int, colours: dict[str, str]) -> list[str]:
    parts, x = [], float(_LEFT)
    shown = {**colours, "load": "#222222", "wait": "#d8d8d8"}
    for name, colour in shown.items():
        parts.append(f'<rect x="{x:.0f}" y="{y - 9}" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(x + 16, y + 1, name))
        x += 40 + 7 * min(len(name), _LONGEST_LABEL)
    return parts


def _text(x: float, y: float, text: str, weight: str = "normal", most: int = _LONGEST_LABEL) -> str:
    short = text if len(text) <= most else text[: most - 1] + "…"
    return f'<text x="{x:.0f}" y="{y:.0f}" font-weight="{weight}">{_safe(short)}</text>'


def _safe(text: str) -> str:
    return escape(clean(text))


def _document(height: int, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 40} {height}"'
        ' font-family="sans-serif" font-size="12">'
    )
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""])
