"""Makes a GGUF file of all-MiniLM-L6-v2's int8 ONNX file, so that llama.cpp computes it and nothing else is loaded.

The ONNX file keeps each matrix as int8 with one scale a row or a column. GGUF's Q8_0 keeps blocks of 32 int8 with a
scale each, so the very numbers go over: only a scale loses what 16-bit floats lose (0.05 %). No arithmetic is done, and
the file is always the same to the byte. The `onnx` and `gguf` packages would read and write these files as well, with
protobuf and NumPy: 60 MB for a fifth of a second, once (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
"""

from __future__ import annotations

import hashlib
import os
import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import IO, Final

from nonet.runtimes.onnx_weights import Found, initializers

FILENAME: Final = "all-minilm-l6-v2-q8_0.gguf"
SHA256: Final = "ed4e30ea4a66217d44a36ddb6d8a61b9398bde72f7ccffa58e822f87abccb1b2"
SIZE_BYTES: Final = 24_701_664

WIDTH: Final = 384
CONTEXT_TOKENS: Final = 512
_LAYERS: Final = 6
_INNER_WIDTH: Final = 1536
_HEADS: Final = 12
_EPSILON: Final = 1e-12
_MEAN_POOLING: Final = 1
_BLOCK: Final = 32
"""Numbers with one scale, in Q8_0."""
_ALIGNMENT: Final = 32
_F32, _Q8_0 = 0, 8
_U32, _I32, _FLOAT, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_NORMAL, _UNKNOWN, _CONTROL = 1, 2, 3
_WORD_START: Final = "\u2581"
"""How llama.cpp's WordPiece marks what ONNX's vocabulary marks by having no ## before it."""
_MATRICES: Final = (
    ("attn_q", "attention.self.query"),
    ("attn_k", "attention.self.key"),
    ("attn_v", "attention.self.value"),
    ("attn_output", "attention.output.dense"),
    ("ffn_up", "intermediate.dense"),
    ("ffn_down", "output.dense"),
)
"""Of a layer, in the order in which the ONNX file has them; there they have numbers for names, their biases words."""
_NORMS: Final = (("attn_output_norm", "attention.output.LayerNorm"), ("layer_output_norm", "output.LayerNorm"))
_SPECIAL: Final = {
    "bos": "[CLS]", "eos": "[SEP]", "unknown": "[UNK]", "seperator": "[SEP]", "padding": "[PAD]", "cls": "[CLS]",
    "mask": "[MASK]",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    """The innermost first, as GGUF counts."""
    kind: int
    size_bytes: int
    parts: Iterator[bytes]


def converted(model: Path) -> Path | None:
    """The GGUF file beside the ONNX file, whole and as pinned; None where there is none."""
    target = model.with_name(FILENAME)
    return target if _is_right(target) else None


def convert(model: Path, folder: Path) -> Path:
    """Write the GGUF file into the folder, at once and for good.

    Args:
        model: the ONNX file; its bytes are trusted to be the catalog's.
        folder: where to.

    Raises:
        OSError: it cannot be written.
        ValueError: the file is another one.
    """
    making = folder / f".{FILENAME}.{os.getpid()}"
    try:
        with making.open("wb") as file, model.open("rb") as source:
            with mmap(source.fileno(), 0, access=ACCESS_READ) as data:
                _write(file, _tensors(data))
            file.flush()
            os.fsync(file.fileno())
        return _kept(making, folder / FILENAME)
    except BaseException:
        making.unlink(missing_ok=True)
        raise


def _kept(made: Path, target: Path) -> Path:
    if not _is_right(made):
        raise ValueError("the file that was made is not the pinned one: it was made of another")
    return made.replace(target)


def _is_right(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size != SIZE_BYTES:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == SHA256


def _tensors(data: mmap) -> list[_Tensor]:
    found = dict(initializers(data))
    matrices = [name.removesuffix("_q") for name in found if name.startswith("val_") and name.endswith("_q")]
    if len(matrices) != _LAYERS * len(_MATRICES):
        raise ValueError("it has other layers")
    made = [
        _rows(found, "token_embd.weight", "inner.embeddings.word_embeddings.weight"),
        _rows(found, "position_embd.weight", "inner.embeddings.position_embeddings.weight"),
        _floats(found, "token_types.weight", "inner.embeddings.token_type_embeddings.weight"),
        *_weight_and_bias(found, "token_embd_norm", "inner.embeddings.LayerNorm"),
    ]
    for layer in range(_LAYERS):
        place, old = f"blk.{layer}", f"inner.encoder.layer.{layer}"
        for number, (name, bias) in enumerate(_MATRICES):
            made.append(_columns(found, f"{place}.{name}.weight", matrices[layer * len(_MATRICES) + number]))
            made.append(_floats(found, f"{place}.{name}.bias", f"{old}.{bias}.bias"))
        for name, norm in _NORMS:
            made += _weight_and_bias(found, f"{place}.{name}", f"{old}.{norm}")
    return made


def _weight_and_bias(found: Found, name: str, old: str) -> list[_Tensor]:
    return [_floats(found, f"{name}.{part}", f"{old}.{part}") for part in ("weight", "bias")]


def _floats(found: Found, name: str, old: str) -> _Tensor:
    shape, raw = found[old]
    return _Tensor(name, shape[::-1], _F32, len(raw), iter([raw]))


def _rows(found: Found, name: str, old: str) -> _Tensor:
    """A table whose rows have a scale each."""
    (count, width), raw = found[f"{old}_q"]
    return _quantized(
        name, width, [raw[at * width : (at + 1) * width] for at in range(count)], found[f"{old}_scale"][1]
    )


def _columns(found: Found, name: str, old: str) -> _Tensor:
    """A matrix whose columns have a scale each; in GGUF they are the rows."""
    (_, count), raw = found[f"{old}_q"]
    lines = [raw[at::count] for at in range(count)]
    return _quantized(name, len(lines[0]), lines, found[f"{old}_scale"][1])


def _quantized(name: str, width: int, lines: Sequence[bytes], scales: bytes) -> _Tensor:
    size = len(lines) * width // _BLOCK * (2 + _BLOCK)
    return _Tensor(name, (width, len(lines)), _Q8_0, size, _blocks(lines, array("f", scales)))


def _blocks(lines: Sequence[bytes], scales: Sequence[float]) -> Iterator[bytes]:
    for line, scale in zip(lines, scales, strict=True):
        short = struct.pack("<e", scale)
        yield b"".join(short + line[at : at + _BLOCK] for at in range(0, len(line), _BLOCK))


def _write(file: IO[bytes], tensors: Sequence[_Tensor]) -> None:
    values = _metadata()
    file.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values)) + b"".join(values))
    offset = 0
    for tensor in tensors:
        shape = struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *tensor.shape)
        file.write(_text(tensor.name) + shape + struct.pack("<IQ", tensor.kind, offset))
        offset += tensor.size_bytes + -tensor.size_bytes % _ALIGNMENT
    file.write(bytes(-file.tell() % _ALIGNMENT))
    for tensor in tensors:
        file.writelines(tensor.parts)
        file.write(bytes(-file.tell() % _ALIGNMENT))


def _metadata() -> list[bytes]:
    words = (files("nonet.runtimes") / "data" / "minilm-vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
    special = {"[UNK]": _UNKNOWN, **dict.fromkeys(("[PAD]", "[CLS]", "[SEP]", "[MASK]"), _CONTROL)}
    kinds = array("i", (special.get(word, _NORMAL) for word in words))
    listed = b"".join(_text(_marked(word)) for word in words)
    return [
        _string("general.architecture", "bert"),
        _string("general.name", "all-MiniLM-L6-v2"),
        _string("general.license", "apache-2.0"),
        _number("general.file_type", 7),
        _number("general.quantization_version", 2),
        _number("bert.block_count", _LAYERS),
        _number("bert.context_length", CONTEXT_TOKENS),
        _number("bert.embedding_length", WIDTH),
        _number("bert.feed_forward_length", _INNER_WIDTH),
        _number("bert.attention.head_count", _HEADS),
        _value("bert.attention.layer_norm_epsilon", _FLOAT, struct.pack("<f", _EPSILON)),
        _value("bert.attention.causal", _BOOL, b"\0"),
        _number("bert.pooling_type", _MEAN_POOLING),
        _string("tokenizer.ggml.model", "bert"),
        _number("tokenizer.ggml.token_type_count", 2),
        _value("tokenizer.ggml.tokens", _ARRAY, struct.pack("<IQ", _STRING, len(words)) + listed),
        _value("tokenizer.ggml.token_type", _ARRAY, struct.pack("<IQ", _I32, len(words)) + kinds.tobytes()),
        *(_number(f"tokenizer.ggml.{name}_token_id", words.index(word)) for name, word in _SPECIAL.items()),
    ]


def _marked(word: str) -> str:
    if word.startswith("[") and word.endswith("]"):
        return word
    return word[2:] if word.startswith("##") else _WORD_START + word


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _value(name: str, kind: int, data: bytes) -> bytes:
    return _text(name) + struct.pack("<I", kind) + data


def _number(name: str, value: int) -> bytes:
    return _value(name, _U32, struct.pack("<I", value))


def _string(name: str, value: str) -> bytes:
    return _value(name, _STRING, _text(value))
