"""llama.cpp's server engine in this process, by xllamacpp: one GGUF model, loaded. Every call blocks.

The engine always opens an HTTP listener. Ours is a Unix socket in a folder that only this user can enter, with a random
key, and it serves one purpose: what the Python interface has no call for, such as counting tokens.
"""

from __future__ import annotations

import http.client
import json
import secrets
import shutil
import socket
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nonet.errors import RuntimeUnavailableError
from nonet.runtimes.machine import give_back_memory, memory_bytes

INSTALL_HINT: Final = "Install the embedded runtime: `pip install 'nonet[embedded]'`."
_SOCKET_PATH_LIMIT: Final = 100
"""Bytes of a Unix socket's path: 104 on macOS, 108 on Linux."""
_READ_BYTES: Final = 1 << 20
_SILENT: Final = -1


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How a model is computed."""

    window_tokens: int
    """A slot's window."""
    slots: int
    """Calls that are computed together, by continuous batching."""
    threads: int
    batch_tokens: int
    """Computed between two looks at whether the call is still wanted; smaller costs speed, larger memory."""
    embeds: bool = False
    """It makes embeddings and answers nothing."""


class LlamaEngine:
    """A loaded model; `close` only when no call is under way."""

    def __init__(self, path: Path, options: EngineOptions) -> None:
        """Load a model; blocks.

        xllamacpp keeps the interpreter's lock while llama.cpp builds the vocabulary and the cache, so every other
        thread stands still (150,000 words: about a second; 49,000: 0.4). The file is read before that, without it.

        Raises:
            RuntimeUnavailableError: xllamacpp is not installed, or llama.cpp cannot load the file.
        """
        try:
            import xllamacpp  # noqa: PLC0415 - loading it takes a fifth of a second and 20 MB
        except ImportError as error:
            raise RuntimeUnavailableError(
                f"The embedded runtime cannot be loaded: {error}.", next_step=INSTALL_HINT
            ) from error
        _read_ahead(path)
        self._key = secrets.token_urlsafe(32)
        self._folder = _socket_folder()
        self._socket = str(self._folder / "s.sock")
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        try:
            self.server: Any = xllamacpp.Server(self._parameters(xllamacpp.CommonParams(), path, options))
        except (RuntimeError, ValueError, MemoryError) as error:
            raise RuntimeUnavailableError(
                f"llama.cpp cannot load {path}: {error}",
                next_step="Check that the file is a whole GGUF model and that there is memory for it.",
            ) from error
        give_back_memory()

    def _parameters(self, params: Any, path: Path, options: EngineOptions) -> Any:  # noqa: ANN401 - xllamacpp has no types
        params.model.path = str(path)
        params.embedding = options.embeds
        params.n_parallel = options.slots
        params.n_ctx = options.window_tokens * options.slots  # llama.cpp divides it among the slots
        params.ctx_shift = False  # a full window ends the answer; it never drops the beginning of the prompt
        params.n_batch = params.n_ubatch = options.batch_tokens
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
        params.cache_ram_mib = 0  # else up to 8 GiB of old prompts
        params.fit_params = False  # it would load the model twice to measure it
        params.warmup = False  # it would compute with the interpreter's lock held
        params.no_extra_bufts = True  # repacked copies of the weights: more memory, no faster here
        params.verbosity = _SILENT
        params.hostnames = [self._socket]
        params.api_keys = [self._key]
        params.n_threads_http = 2
        params.ui = params.endpoint_slots = False
        params.cors_origins = ""
        return params

    def post(self, place: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the listener. Raises RuntimeUnavailableError where it does not answer."""
        connection = _UnixConnection(self._socket)
        headers = {"Authorization": f"Bearer {self._key}", "Connection": "close", "Content-Type": "application/json"}
        try:
            connection.request("POST", place, json.dumps(body), headers)
            return dict(json.loads(connection.getresponse().read()))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise RuntimeUnavailableError(f"llama.cpp does not answer at {place}: {error}.") from error
        finally:
            connection.close()

    def close(self) -> None:
        """Unload the model; calling it twice is fine."""
        self.server = None  # the last reference: llama.cpp ends its loop and frees the memory
        give_back_memory()
        shutil.rmtree(self._folder, ignore_errors=True)


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _read_ahead(path: Path) -> None:
    """Bring the file into the system's cache; a file that would fill the memory is left on the disk."""
    if path.stat().st_size > memory_bytes() // 2:
        return
    buffer = bytearray(_READ_BYTES)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):  # releases the interpreter's lock
            pass


def _socket_folder() -> Path:
    """A new folder that only this user can enter, with a path short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="nonet-"))
    if len(str(folder)) + len("/s.sock") <= _SOCKET_PATH_LIMIT:
        return folder
    folder.rmdir()
    return Path(tempfile.mkdtemp(prefix="nonet-", dir="/tmp"))
