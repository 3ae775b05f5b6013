"""Makes the int8 graph of all-MiniLM look words up before it widens them, not after.

The file keeps its word table as 30,522 x 384 int8 and widens all of it, 47 MB twice over, to look up a few words. ONNX
Runtime does that once and keeps it (with constant folding) or at every call (without). Gathering the rows first and
widening those alone gives the same numbers. The `onnx` package could edit the graph too, but brings 17 MB and protobuf
for three nodes. The bytes put in are as many as those taken out, so that no length around them changes
(https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, https://protobuf.dev/programming-guides/encoding).
"""

from __future__ import annotations

from collections.abc import Sequence
from mmap import mmap
from typing import Final

_GRAPH_NODE: Final = 1
_INPUT, _OUTPUT, _NAME, _OPERATOR, _ATTRIBUTE = range(1, 6)
_LENGTH_DELIMITED: Final = 2
_TO_FLOAT: Final = b"\n\x02to\x18\x01\xa0\x01\x02"
"""The attribute `to`, 1: a 32-bit float."""
_AXIS_0: Final = b"\n\x04axis\x18\x00\xa0\x01\x02"

_TABLE: Final = "inner.embeddings.word_embeddings.weight"
_WORDS: Final = "input_ids"
_FOUND: Final = "embedding"


def gather_first(model: bytearray | mmap) -> bool:
    """Make the model look its words up as int8, in place; False, and nothing changed, where it has no such table.

    Args:
        model: an ONNX file; mapped from disk it takes no memory of ours.
    """
    widen = b"".join(
        (
            _node("Cast", [f"{_TABLE}_q"], f"{_TABLE}_f", f"{_TABLE}_cast", _TO_FLOAT),
            _node("Mul", [f"{_TABLE}_f", f"{_TABLE}_scale"], _TABLE, f"{_TABLE}_mul"),
        )
    )
    look_up = _node("Gather", [_TABLE, _WORDS], _FOUND, "node_embedding", _AXIS_0)
    places = [model.find(old) for old in (widen, look_up)]
    if -1 in places:
        return False
    rows_first = _node("Gather", [f"{_TABLE}_q", _WORDS], "rows", "", _AXIS_0) + _node(
        "Gather", [f"{_TABLE}_scale", _WORDS], "scales", "", _AXIS_0
    )
    new = (
        rows_first + _padded(len(widen) - len(rows_first), "Cast", ["rows"], "wide", _TO_FLOAT),
        _padded(len(look_up), "Mul", ["wide", "scales"], _FOUND),
    )
    for place, nodes in zip(places, new, strict=True):  # in any order: ONNX Runtime sorts the nodes
        model[place : place + len(nodes)] = nodes
    return True


def _padded(size: int, operator: str, inputs: Sequence[str], output: str, attribute: bytes = b"") -> bytes:
    """A node of exactly that many bytes, by the length of its name."""
    nodes = (_node(operator, inputs, output, "_" * length, attribute) for length in range(size))
    return next(node for node in nodes if len(node) == size)


def _node(operator: str, inputs: Sequence[str], output: str, name: str, attribute: bytes = b"") -> bytes:
    """A node as the graph's list has it, its fields in the order of their numbers."""
    fields = [
        *(_field(_INPUT, each.encode()) for each in inputs),
        _field(_OUTPUT, output.encode()),
        _field(_NAME, name.encode()),
        _field(_OPERATOR, operator.encode()),
        _field(_ATTRIBUTE, attribute) if attribute else b"",
    ]
    return _field(_GRAPH_NODE, b"".join(fields))


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | _LENGTH_DELIMITED]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
