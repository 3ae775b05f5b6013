"""A workflow as a PNG, drawn on this machine: LangGraph's own `draw_mermaid_png` asks a server on the internet.

Steps stand in rows: each below all that it reads. Within a row they are ordered by where their sources stand, which
leaves few lines that cross (Sugiyama, Tagawa and Toda 1981, the barycentre step).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nonet.errors import ResourceError
from nonet.graphs.workflow import keeping

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

    from nonet.graphs.workflow.workflow import Workflow

    Font = FreeTypeFont | ImageFont

_FONT_PIXELS, _SMALL_PIXELS = 26, 19
_GAP, _ROW_GAP, _PADDING, _MARGIN = 40, 70, 18, 30
_LONGEST = 44
"""Characters of a line in a box."""
_INK, _DIM, _BOX, _INPUT, _PAPER = "#1b1b1f", "#62626e", "#eef0fb", "#f7f3e8", "#ffffff"
_SWEEPS = 4


@dataclass(slots=True)
class _Box:
    name: str
    lines: list[str]
    fill: str
    reads: tuple[str, ...]
    row: int = 0
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


def png(workflow: Workflow[Any]) -> bytes:
    """The picture. Raises ResourceError where Pillow is not installed."""
    try:
        from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415  only who draws pays for it
    except ImportError as error:
        raise ResourceError(
            "A picture needs Pillow, which is not installed.",
            next_step="Install it with: pip install 'nonet[pictures]'",
        ) from error
    fonts: tuple[Font, Font] = (ImageFont.load_default(_FONT_PIXELS), ImageFont.load_default(_SMALL_PIXELS))
    boxes = _boxes(workflow)
    lines = _lines(boxes)
    rows = _rows(boxes)
    width, height = _place(rows, fonts)
    image = Image.new("RGB", (int(width), int(height)), _PAPER)
    draw = ImageDraw.Draw(image)
    for line in lines:
        _arrow(draw, [boxes[name] for name in line])
    for box in boxes.values():
        if box.lines:
            _draw(draw, box, fonts)
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()


def _boxes(workflow: Workflow[Any]) -> dict[str, _Box]:
    checked = workflow.checked()
    boxes = {name: _Box(name, [name, each.type.name], _INPUT, ()) for name, each in checked.inputs.items()}
    for name, step in checked.steps.items():
        said = step.definition
        about = [
            f"{word} {text}" for word, text in (("each", said.each), ("when", said.when), ("until", said.until)) if text
        ]
        asks = ["asks first"] if said.approve else []
        reads = tuple(each for each in step.needs if each in checked.steps or each in checked.inputs)
        lines = [name, keeping.doer(step), *about, *asks]
        boxes[name] = _Box(name, [_short(line) for line in lines], _BOX, reads)
    return boxes


def _short(line: str) -> str:
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."


def _lines(boxes: dict[str, _Box]) -> list[list[str]]:
    """The rows, and the boxes that each line goes through: in every row that it passes, an empty one keeps it room."""
    lines = []
    for box in list(boxes.values()):  # steps come after what they read
        box.row = 1 + max((boxes[name].row for name in box.reads), default=-1)
        through = list(box.reads)
        for place, source in enumerate(box.reads):
            line = [source]
            for row in range(boxes[source].row + 1, box.row):
                name = f"{source} > {box.name} {row}"
                boxes[name] = _Box(name, [], "", (line[-1],), row)
                line.append(name)
            through[place] = line[-1]
            lines.append([*line, box.name])
        box.reads = tuple(through)
    return lines


def _rows(boxes: Mapping[str, _Box]) -> list[list[_Box]]:
    rows: list[list[_Box]] = [[] for _ in range(1 + max(box.row for box in boxes.values()))]
    for box in boxes.values():
        rows[box.row].append(box)
    for _ in range(_SWEEPS):
        places = {box.name: place / len(row) for row in rows for place, box in enumerate(row)}
        for row in rows[1:]:
            row.sort(key=lambda box: sum(places[name] for name in box.reads) / max(len(box.reads), 1))
    return rows


def _place(rows: Sequence[Sequence[_Box]], fonts: tuple[Font, Font]) -> tuple[float, float]:
    """Where each box stands; the size of the whole, in pixels."""
    for row in rows:
        for box in row:
            if not box.lines:
                continue
            widths = [fonts[0].getlength(box.lines[0]), *(fonts[1].getlength(line) for line in box.lines[1:])]
            box.width = max(widths) + 2 * _PADDING
            box.height = _FONT_PIXELS + (len(box.lines) - 1) * (_SMALL_PIXELS + 6) + 2 * _PADDING
    for row in rows:
        for box in row:
            box.height = box.height or max(each.height for each in row)
    lengths = [sum(box.width for box in row) + _GAP * (len(row) - 1) for row in rows]
    y = float(_MARGIN)
    for row, length in zip(rows, lengths, strict=True):
        x = _MARGIN + (max(lengths) - length) / 2
        for box in row:
            box.x, box.y = x, y
            x += box.width + _GAP
        y += max(box.height for box in row) + _ROW_GAP
    return max(lengths) + 2 * _MARGIN, y - _ROW_GAP + _MARGIN


def _draw(draw: ImageDraw, box: _Box, fonts: tuple[Font, Font]) -> None:
    corners = (box.x, box.y, box.x + box.width, box.y + box.height)
    draw.rounded_rectangle(corners, radius=12, fill=box.fill, outline=_INK, width=2)
    y = box.y + _PADDING - 4
    for number, line in enumerate(box.lines):
        font = fonts[0] if number == 0 else fonts[1]
        draw.text((box.middle - font.getlength(line) / 2, y), line, font=font, fill=_DIM if number else _INK)
        y += _FONT_PIXELS + 8 if number == 0 else _SMALL_PIXELS + 6


def _arrow(draw: ImageDraw, line: Sequence[_Box]) -> None:
    points = [(line[0].middle, line[0].y + line[0].height)]
    for box in line[1:]:
        points += [(box.middle, box.y - _ROW_GAP / 2), (box.middle, box.y)]
        if not box.lines:
            points.append((box.middle, box.y + box.height))
    draw.line(points, fill=_DIM, width=2, joint="curve")
    x, y = points[-1]
    draw.polygon([(x, y), (x - 6, y - 12), (x + 6, y - 12)], fill=_DIM)
