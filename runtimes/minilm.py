"""Sentence embeddings by all-MiniLM-L6-v2 (int8), on llama.cpp: 384 numbers a text, of unit length.

As sentence-transformers computes them: WordPiece, at most 256 tokens, the mean of the token vectors, normalised
(https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2). The vocabulary ships here; the weights are downloaded.
"""

from __future__ import annotations

import math
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nonet.errors import RuntimeUnavailableError
from nonet.runtimes.llama_engine import EngineOptions, LlamaEngine
from nonet.runtimes.minilm_gguf import WIDTH, convert, converted

MAX_TOKENS: Final = 256
"""What the model was trained to read at once; longer texts are read in windows and their vectors averaged."""
DIMENSIONS: Final = WIDTH
_ROOM: Final = MAX_TOKENS - 2
"""Beside the marks of a text's beginning and end."""
_FIRST, _LAST = 101, 102
_BATCH_WINDOWS: Final = 4
"""Computed between two looks at whether they are still wanted: about a third of a second."""
_MAX_CHARACTERS: Final = 200_000
"""Of one text; what comes after moves the mean of 200 windows no more."""


@dataclass(frozen=True, slots=True)
class _Window:
    owner: int
    """The place of its text."""
    content: str | list[int]
    tokens: int
    """How much it weighs among the windows of a text."""


class MiniLm:
    """The model, loaded: 10 MB beside its weights. `embed` may be called from many threads.

    Args:
        path: the ONNX file of the catalog. The file that llama.cpp computes is made beside it where it is missing.
        is_right: whether the ONNX file is the catalog's; asked before it is converted.
        threads: threads to compute with.

    Raises:
        RuntimeUnavailableError: xllamacpp is not installed, or the file is damaged.
    """

    def __init__(self, path: Path, *, is_right: Callable[[], bool] = lambda: True, threads: int = 1) -> None:
        options = EngineOptions(MAX_TOKENS, 1, threads, batch_tokens=MAX_TOKENS, embeds=True)
        found = converted(path)
        if found is not None:
            self._engine = LlamaEngine(found, options)
            return
        if not is_right():
            raise RuntimeUnavailableError(f"{path} is damaged.", next_step="Fetch it again with `nonet models pull`.")
        try:
            self._engine = LlamaEngine(convert(path, path.parent), options)
        except OSError:  # a folder that others fill and we only read
            with tempfile.TemporaryDirectory(prefix="nonet-") as folder:
                self._engine = LlamaEngine(convert(path, Path(folder)), options)

    def embed(self, texts: Sequence[str], *, stop: Callable[[], bool] = lambda: False) -> tuple[tuple[float, ...], ...]:
        """One unit vector a text, in order. An empty text gets the vector of the empty sentence.

        Args:
            texts: any text; of a very long one, the first 200,000 characters are read.
            stop: asked between batches; when it is True the rest is not computed, and what is returned is cut.
        """
        windows = [window for place, text in enumerate(texts) for window in self._windows(place, text)]
        vectors: list[list[float]] = [[] for _ in texts]
        for start in range(0, len(windows), _BATCH_WINDOWS):
            if stop():
                return ()
            batch = windows[start : start + _BATCH_WINDOWS]
            for window, vector in zip(batch, self._run(batch), strict=True):
                vectors[window.owner] = _added(vectors[window.owner], vector, window.tokens)
        return tuple(map(_unit, vectors))

    def _windows(self, place: int, text: str) -> list[_Window]:
        clean = text[:_MAX_CHARACTERS].encode("utf-8", errors="replace").decode("utf-8")  # no lone surrogates
        if len(unicodedata.normalize("NFD", clean)) <= _ROOM:  # no token is less than a letter
            return [_Window(place, clean, 1)]
        tokens: list[int] = self._engine.post("/tokenize", {"content": clean, "add_special": False})["tokens"]
        parts = [tokens[start : start + _ROOM] for start in range(0, max(1, len(tokens)), _ROOM)]
        return [_Window(place, [_FIRST, *part, _LAST], len(part) + 2) for part in parts]

    def _run(self, windows: Sequence[_Window]) -> list[list[float]]:
        answer: dict[str, Any] = self._engine.server.handle_embeddings({"input": [each.content for each in windows]})
        if "data" not in answer:
            raise RuntimeUnavailableError(f"llama.cpp makes no embedding: {answer.get('error', {}).get('message')}.")
        return [each["embedding"] for each in sorted(answer["data"], key=lambda each: int(each["index"]))]


def _added(total: list[float], vector: Sequence[float], weight: int) -> list[float]:
    """The sum of a text's windows; a short last one weighs less."""
    if not total:
        return [value * weight for value in vector]
    return [one + value * weight for one, value in zip(total, vector, strict=True)]


def _unit(vector: Sequence[float]) -> tuple[float, ...]:
    length = max(math.hypot(*vector), 1e-12)
    return tuple(value / length for value in vector)
