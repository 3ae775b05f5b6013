"""Reads the weights of an ONNX file: of protobuf, just what all-MiniLM's file has.

A ModelProto's field 7 is the graph, whose field 5 are the initializers (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto,
https://protobuf.dev/programming-guides/encoding).
"""

from __future__ import annotations

from collections.abc import Iterator
from mmap import mmap

Weights = tuple[tuple[int, ...], bytes]
"""Shape, and the numbers as the file has them."""
Found = dict[str, Weights]

_GRAPH, _INITIALIZER, _DIMENSIONS, _NAME, _RAW = 7, 5, 1, 8, 9


def initializers(data: mmap) -> Iterator[tuple[str, Weights]]:
    """The weights of an ONNX file by name. Raises ValueError for one that is built in another way."""
    for number, graph in _fields(data, 0, len(data)):
        if number != _GRAPH or not isinstance(graph, slice):
            continue
        for kind, tensor in _fields(data, graph.start, graph.stop):
            if kind == _INITIALIZER and isinstance(tensor, slice):
                yield _initializer(data, tensor)


def _initializer(data: mmap, place: slice) -> tuple[str, Weights]:
    shape: list[int] = []
    name, raw = "", b""
    for number, value in _fields(data, place.start, place.stop):
        if number == _DIMENSIONS and isinstance(value, int):
            shape.append(value)
        elif number == _NAME and isinstance(value, slice):
            name = data[value].decode()
        elif number == _RAW and isinstance(value, slice):
            raw = data[value]
    return name, (tuple(shape), raw)


def _fields(data: mmap, at: int, end: int) -> Iterator[tuple[int, int | slice]]:
    """Field numbers with their integers, or the places of their bytes."""
    while at < end:
        key, at = _varint(data, at)
        value, at = _varint(data, at)
        if key & 7 == 2:  # noqa: PLR2004  length-delimited
            yield key >> 3, slice(at, at + value)
            at += value
        elif key & 7 == 0:
            yield key >> 3, value
        else:
            raise ValueError(f"field {key >> 3} at {at} is of a kind that the file has nowhere else")


def _varint(data: mmap, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004  the last
            return value, at
