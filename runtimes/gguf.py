"""What the header of a GGUF file says: what the model is, and what a token of its context costs.

The `gguf` library reads the same, but takes seconds for a vocabulary of 150,000 words and keeps it all in memory
(format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from nonet.errors import ModelNotFoundError

_MAGIC: Final = b"GGUF"
_VERSIONS: Final = (2, 3)
_SCALARS: Final = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING: Final = 8
_ARRAY: Final = 9
_PLAIN: Final = 1
"""The type of a word that is text, of llama.h, enum llama_token_type."""
_FILE_TYPES: Final = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 25: "IQ4_NL", 30: "IQ4_XS",
    32: "BF16",
}  # fmt: skip
"""llama.h, enum llama_ftype."""
_KV_VALUE_BYTES: Final = 2
"""The cache is kept in 16-bit floats."""


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """One model file."""

    architecture: str
    """Such as "qwen2" or "llama"."""
    context_tokens: int
    """The most the model was trained for."""
    kv_bytes_per_token: int
    """What one token of context takes in the cache; 0 where the header does not say."""
    parameters: str
    """As the file words it: "135M", "494M"."""
    quantization: str
    size_bytes: int
    byte_level: bool = False
    """The vocabulary is byte-level BPE, as GPT-2's."""


def read_header(path: Path) -> GgufHeader:
    """Read a file's header; kept until the file changes.

    Raises:
        ModelNotFoundError: there is no such file, it cannot be read, or it is not a GGUF file.
    """
    with _told(path):
        state = path.stat()
        return _read(path, state.st_size, state.st_mtime_ns)


def read_token_types(path: Path) -> dict[str, int]:
    """The vocabulary's words that are no plain text, with their types; empty where the file has no types.

    Types are llama.cpp's (llama.h, enum llama_token_type): 2 unknown, 3 control, 4 user-defined, 5 unused, 6 a byte.

    Raises:
        ModelNotFoundError: as `read_header`.
    """
    with _told(path), path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _Reader(data).token_types()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What is wrong with the file, as an error of ours."""
    try:
        yield
    except OSError as error:
        raise ModelNotFoundError(
            f"The model file {path} cannot be read: {error.strerror or error}.", next_step="Check the path."
        ) from error
    except (ValueError, IndexError, struct.error) as error:
        raise ModelNotFoundError(
            f"{path} is not a model that can be served: {error}.",
            next_step="Give the path of a whole GGUF file, version 2 or 3.",
        ) from error


@lru_cache(maxsize=64)
def _read(path: Path, size: int, _modified_ns: int) -> GgufHeader:
    if not path.is_file():
        raise ValueError("it is not a file")
    if size < len(_MAGIC) + 20:
        raise ValueError("it is too short to be a GGUF file")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _header(_Reader(data).fields(), size)


def _header(fields: Mapping[str, object], size: int) -> GgufHeader:
    architecture = fields.get("general.architecture")
    if not isinstance(architecture, str):
        raise ValueError("its header names no architecture")  # noqa: TRY004 - the file is wrong, not a type of ours

    def number(key: str) -> int:
        value = fields.get(f"{architecture}.{key}", 0)
        return value if isinstance(value, int) else 0

    heads = number("attention.head_count")
    head_size = number("attention.key_length") or (number("embedding_length") // heads if heads else 0)
    value_size = number("attention.value_length") or head_size
    kv_heads = number("attention.head_count_kv") or heads
    file_type = fields.get("general.file_type")
    return GgufHeader(
        architecture=architecture,
        context_tokens=number("context_length"),
        kv_bytes_per_token=number("block_count") * kv_heads * (head_size + value_size) * _KV_VALUE_BYTES,
        parameters=str(fields.get("general.size_label", "")),
        quantization=_FILE_TYPES.get(file_type, "") if isinstance(file_type, int) else "",
        size_bytes=size,
        byte_level=fields.get("tokenizer.ggml.model") == "gpt2",
    )


class _Reader:
    """Walks the key-value section; arrays, such as the vocabulary, are stepped over."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0
        self._arrays: dict[str, int] = {}
        """Where each array begins: its type, its length, its items."""

    def fields(self) -> dict[str, object]:
        if self._data[: len(_MAGIC)] != _MAGIC:
            raise ValueError("it is not a GGUF file")
        self._at = len(_MAGIC)
        version = self._scalar("<I")
        if version not in _VERSIONS:
            raise ValueError(f"its GGUF version is {version}, only 2 and 3 are known")
        self._scalar("<Q")  # the number of tensors
        found: dict[str, object] = {}
        for _ in range(int(self._scalar("<Q"))):
            key = self._string()
            kind = int(self._scalar("<I"))
            if kind == _ARRAY:
                self._arrays[key] = self._at
            value = self._value(kind)
            if value is not None:
                found[key] = value
        return found

    def token_types(self) -> dict[str, int]:
        self.fields()
        words, types = (self._arrays.get(f"tokenizer.ggml.{key}") for key in ("tokens", "token_type"))
        if words is None or types is None:
            return {}
        self._at = types + 4
        count = int(self._scalar("<Q"))
        kinds = struct.unpack_from(f"<{count}i", self._data, self._at)
        at, length = words + 12, struct.Struct("<Q").unpack_from
        found = {}
        for kind in kinds:
            end = at + 8 + length(self._data, at)[0]
            if kind != _PLAIN:
                found[self._data[at + 8 : end].decode("utf-8", errors="replace")] = kind
            at = end
        return found

    def _value(self, kind: int) -> object | None:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            self._skip_array()
            return None
        if kind not in _SCALARS:
            raise ValueError(f"its header has a field of the unknown type {kind}")
        return self._scalar(_SCALARS[kind])

    def _skip_array(self) -> None:
        kind = int(self._scalar("<I"))
        count = int(self._scalar("<Q"))
        if kind in _SCALARS:
            self._step(count * struct.calcsize(_SCALARS[kind]))
            return
        if kind != _STRING:
            raise ValueError(f"its header has an array of the unknown type {kind}")
        length = struct.Struct("<Q").unpack_from
        at, data = self._at, self._data
        for _ in range(count):
            at += 8 + length(data, at)[0]
        self._at = at

    def _string(self) -> str:
        length = int(self._scalar("<Q"))
        start = self._at
        self._step(length)
        return self._data[start : self._at].decode("utf-8", errors="replace")

    def _scalar(self, form: str) -> float:
        (value,) = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        number: float = value
        return number

    def _step(self, count: int) -> None:
        self._at += count
        if self._at > len(self._data):
            raise ValueError("its header runs past the end of the file: the file is cut")
