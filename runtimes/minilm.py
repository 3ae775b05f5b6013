"""Sentence embeddings by all-MiniLM-L6-v2 (int8), on ONNX Runtime: 384 numbers a text, of unit length.

As sentence-transformers computes them: WordPiece, at most 256 tokens, the mean of the token vectors, normalised
(https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2). The vocabulary ships here; the weights are downloaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import as_file, files
from mmap import mmap
from pathlib import Path
from shutil import copyfile
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, Final

from nonet.errors import RuntimeUnavailableError
from nonet.runtimes.machine import give_back_memory
from nonet.runtimes.minilm_graph import gather_first

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

MAX_TOKENS: Final = 256
"""What the model was trained to read at once; longer texts are read in windows and their vectors averaged."""
DIMENSIONS: Final = 384
_BATCH_TOKENS: Final = 256
"""Tokens computed at once, padding included. 256: 40 MB above the loaded model, for the time of the call; 512: 75 MB;
2048: 530 MB; and none is faster."""
_MAX_CHARACTERS: Final = 200_000
"""Of one text; what comes after moves the mean of 200 windows no more."""


class MiniLm:
    """The model, loaded: 35 MB, and 40 more during a call. `embed` may be called from many threads.

    Args:
        path: the ONNX file of the catalog; its bytes are trusted to be that, so check them first (`download.verify`).
        threads: threads to compute with.

    Raises:
        RuntimeUnavailableError: onnxruntime or tokenizers is not installed.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        try:
            import onnxruntime  # noqa: PLC0415 - a tenth of a second and 40 MB
            from tokenizers import BertWordPieceTokenizer  # noqa: PLC0415
        except ImportError as error:
            raise RuntimeUnavailableError(
                f"The embedding model cannot be loaded: {error}.",
                next_step="Install the embedded runtime: `pip install 'nonet[embedded]'`.",
            ) from error
        with as_file(files("nonet.runtimes") / "data" / "minilm-vocab.txt") as vocabulary:
            self._tokenizer = BertWordPieceTokenizer(str(vocabulary), lowercase=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._run_options: Any = onnxruntime.RunOptions()
        self._run_options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        with NamedTemporaryFile(suffix=".onnx") as file:  # a session made from bytes keeps them
            copyfile(path, file.name)
            with mmap(file.fileno(), 0) as model:
                gather_first(model)
            self._session: Any = onnxruntime.InferenceSession(
                file.name,
                options,
                providers=["CPUExecutionProvider"],
                disabled_optimizers=["ConstantFolding"],  # it would widen every weight to four times its size
            )
        give_back_memory()

    def embed(self, texts: Sequence[str], *, stop: Callable[[], bool] = lambda: False) -> tuple[tuple[float, ...], ...]:
        """One unit vector a text, in order. An empty text gets the vector of the empty sentence.

        Args:
            texts: any text; of a very long one, the first 200,000 characters are read.
            stop: asked between batches; when it is True the rest is not computed, and what is returned is cut.
        """
        import numpy as np  # noqa: PLC0415

        windows: list[list[int]] = []
        owners: list[int] = []
        for number, text in enumerate(texts):
            for window in self._windows(text):
                windows.append(window)
                owners.append(number)
        sums: Floats = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for batch in _batches(windows):
            if stop():
                return ()
            vectors = self._run([windows[index] for index in batch])
            for index, vector in zip(batch, vectors, strict=True):
                sums[owners[index]] += vector * len(windows[index])  # a short last window weighs less
            give_back_memory()
        return tuple(tuple(row) for row in _unit(sums).tolist())

    def _windows(self, text: str) -> list[list[int]]:
        clean = text[:_MAX_CHARACTERS].encode("utf-8", errors="replace").decode("utf-8")  # no lone surrogates
        ids: list[int] = self._tokenizer.encode(clean).ids
        first, last, body = ids[0], ids[-1], ids[1:-1]
        room = MAX_TOKENS - 2
        starts = range(0, max(1, len(body)), room)
        return [[first, *body[start : start + room], last] for start in starts]

    def _run(self, windows: list[list[int]]) -> Floats:
        """One unit vector a window: the mean of the token vectors, padding left out."""
        import numpy as np  # noqa: PLC0415

        longest = max(len(window) for window in windows)
        ids = np.zeros((len(windows), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, window in enumerate(windows):
            ids[row, : len(window)] = window
            mask[row, : len(window)] = 1
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        tokens = self._session.run(None, feed, self._run_options)[0]
        weights = mask[:, :, None].astype(np.float32)
        return _unit((tokens * weights).sum(axis=1) / weights.sum(axis=1))


def _batches(windows: Sequence[Sequence[int]]) -> list[list[int]]:
    """Indices of windows of like length, so that little is computed for padding."""
    batches: list[list[int]] = []
    for index in sorted(range(len(windows)), key=lambda index: len(windows[index])):
        if batches and (len(batches[-1]) + 1) * len(windows[index]) <= _BATCH_TOKENS:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def _unit(rows: Floats) -> Floats:
    import numpy as np  # noqa: PLC0415

    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Floats = rows / np.maximum(norms, 1e-12)
    return unit
