"""The vectors of the specialists' examples, kept between processes: embedding them takes a second, reading them 5 ms.

One small file in the cache folder for each embedding model and set of examples. It holds nothing of any task, and
whatever is wrong with it, the vectors are computed again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import os
import struct
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nonet.agents.router import Embedder

Vectors = tuple[tuple[float, ...], ...]

_ROUNDING = 0.01
"""How far from 1 the length of a unit vector of half floats may be."""


class ExampleVectors:
    """An embedder that answers for the examples from a file, and for other texts from another embedder.

    Args:
        embed: what computes vectors.
        examples: the texts that are kept; together they are embedded by the one who routes.
        model: name of the embedding model.
        digest: of its weights; a model under another digest has other vectors.
        folder: where the file is kept; made when it is first written.
    """

    def __init__(self, embed: Embedder, examples: Collection[str], *, model: str, digest: str, folder: Path) -> None:
        self._embed = embed
        self._examples = tuple(sorted(set(examples)))
        key = json.dumps([model, digest, self._examples])
        self._path = folder / f"examples-{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"

    async def __call__(self, texts: Sequence[str]) -> Vectors | None:
        """Unit vectors in order, those of examples as half floats; None where the embedder has none."""
        if not texts or not set(self._examples).issuperset(texts):
            return await self._embed(texts)
        known = self._read()
        if known is None:
            computed = await self._embed(self._examples)
            if computed is None or len(computed) != len(self._examples):
                return None
            known = computed
            with suppress(OSError):  # a cache folder that cannot be written costs the next process a second
                self._write(computed)
        by_text = dict(zip(self._examples, known, strict=True))
        return tuple(by_text[text] for text in texts)

    def _read(self) -> Vectors | None:
        """None where there is no file, or it is not what `_write` leaves."""
        try:
            kept = json.loads(self._path.read_bytes())
            vectors = tuple(_unpack(packed) for packed in kept)
        except (OSError, ValueError, TypeError, binascii.Error, struct.error):
            return None
        whole = len(vectors) == len(self._examples) and len({len(vector) for vector in vectors}) == 1
        return vectors if whole and all(abs(math.hypot(*vector) - 1) < _ROUNDING for vector in vectors) else None

    def _write(self, vectors: Vectors) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", encoding="ascii", dir=self._path.parent, suffix=".part", delete=False) as file:
            json.dump([_pack(vector) for vector in vectors], file)
        os.replace(file.name, self._path)  # noqa: PTH105 - whole or not at all, whoever else writes it


def _pack(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}e", *vector)).decode("ascii")


def _unpack(packed: str) -> tuple[float, ...]:
    raw = base64.b64decode(packed, validate=True)
    return struct.unpack(f"<{len(raw) // 2}e", raw)
