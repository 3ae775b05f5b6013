"""all-MiniLM's ONNX file read, and made a GGUF file of; with the real file, marked slow."""

from __future__ import annotations

import os
import struct
from mmap import ACCESS_READ, mmap
from pathlib import Path

import pytest

from nonet.errors import RuntimeUnavailableError
from nonet.runtimes.catalog import models_folder
from nonet.runtimes.gguf import read_header
from nonet.runtimes.minilm import DIMENSIONS, MiniLm
from nonet.runtimes.minilm_gguf import FILENAME, convert, converted
from nonet.runtimes.onnx_weights import initializers


def field(number: int, content: bytes) -> bytes:
    length = bytes([len(content)]) if len(content) < 128 else bytes([len(content) & 127 | 128, len(content) >> 7])
    return bytes([number << 3 | 2]) + length + content


def onnx(path: Path, weights: dict[str, tuple[tuple[int, ...], bytes]]) -> Path:
    """A model that has these weights, between fields that nobody asks for."""
    made = [
        b"".join(b"\x08" + bytes([size]) for size in shape) + b"\x10\x03" + field(8, name.encode()) + field(9, raw)
        for name, (shape, raw) in weights.items()
    ]
    graph = field(2, b"the graph's name") + b"".join(field(5, tensor) for tensor in made)
    path.write_bytes(b"\x08\x0a" + field(2, b"a tool") + field(7, graph))
    return path


def test_the_weights_of_an_onnx_file_by_name(tmp_path: Path) -> None:
    weights = {"a_q": ((3, 2), bytes(range(6))), "a_scale": ((3, 1), struct.pack("<3f", 1, 2, 3)), "c": ((), b"\x01")}
    with onnx(tmp_path / "m.onnx", weights).open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        assert dict(initializers(data)) == weights


@pytest.mark.parametrize("content", [b"not a model of any kind", b"\x3d\x00\x00\x00\x00", b""])
def test_a_file_that_is_another_is_not_converted(tmp_path: Path, content: bytes) -> None:
    other = onnx(tmp_path / "model.onnx", {"val_1_q": ((2, 2), b"1234")})
    if content:
        other.write_bytes(content)
    with pytest.raises((ValueError, IndexError)):
        convert(other, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    with pytest.raises(RuntimeUnavailableError, match=r"model\.onnx is damaged"):
        MiniLm(other, is_right=lambda: False)


@pytest.mark.slow
def test_the_real_model_is_converted_once_and_makes_embeddings(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    named = os.environ.get("NONET_TEST_MODELS")
    source = models_folder(Path(named) if named else None) / "all-minilm-l6-v2-int8.onnx"
    if not source.is_file():
        pytest.skip("all-minilm is not at hand")
    path = tmp_path / source.name
    path.symlink_to(source)
    assert converted(path) is None
    asked: list[str] = []
    texts = ["a cat on a mat", "각" * 300, "word " * 600, "\ud800", ""]

    def is_right() -> bool:
        asked.append("source")
        return True

    first = MiniLm(path, is_right=is_right).embed(texts)
    made = tmp_path / FILENAME
    assert converted(path) == made
    assert read_header(made).architecture == "bert"
    assert MiniLm(path, is_right=is_right).embed(texts) == first
    assert asked == ["source"]
    assert all(len(vector) == DIMENSIONS for vector in first)
    assert all(sum(value * value for value in vector) == pytest.approx(1.0, abs=1e-4) for vector in first)
    made.write_bytes(b"damaged")
    assert MiniLm(path).embed(texts[:1]) == first[:1]  # made anew
