"""One GGUF model in this process: llama.cpp's server engine by xllamacpp. Every call blocks.

The engine always opens an HTTP listener. Ours is a Unix socket in a folder that only this user can enter, with a random
key, and it serves what the Python interface has no call for: counting tokens, and the probabilities of a given text.
"""

from __future__ import annotations

import http.client
import json
import secrets
import shutil
import socket
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nonet.errors import BadRequestError, RuntimeUnavailableError
from nonet.runtimes.gguf import read_token_types
from nonet.runtimes.llama_marks import Marks
from nonet.runtimes.machine import give_back_memory, memory_bytes

INSTALL_HINT: Final = "Install the embedded runtime: `pip install 'nonet[embedded]'`."
BATCH_TOKENS: Final = 128
"""Prompt tokens computed between two looks at whether the call is still wanted; smaller costs speed, larger memory."""
_SOCKET_PATH_LIMIT: Final = 100
"""Bytes of a Unix socket's path: 104 on macOS, 108 on Linux."""
_READ_BYTES: Final = 1 << 20
_SILENT: Final = -1
_FORCE: Final = 1000.0

Chunk = Mapping[str, Any]
"""One piece of an answer, in OpenAI's streaming form."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How a model is served."""

    window_tokens: int
    """A slot's window, prompt and answer together."""
    slots: int
    """Calls that are computed together, by continuous batching."""
    threads: int
    reuse_prompts: bool = False
    """Keep a prompt's computation for the next that begins alike. Faster, but rounding then depends on what came
    before, so that a repeated request may get another answer."""


class LlamaServer:
    """A loaded model. Safe to call from many threads; `close` only when no call is under way."""

    def __init__(self, path: Path, options: ServerOptions) -> None:
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
        self._options = options
        self._marks = Marks(read_token_types(path))
        _read_ahead(path)
        self._key = secrets.token_urlsafe(32)
        self._folder = _socket_folder()
        self._socket = str(self._folder / "s.sock")
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        try:
            self._server: Any = xllamacpp.Server(self._parameters(xllamacpp.CommonParams(), path))
        except (RuntimeError, ValueError, MemoryError) as error:
            raise RuntimeUnavailableError(
                f"llama.cpp cannot load {path}: {error}",
                next_step="Check that the file is a whole GGUF chat model and that there is memory for it.",
            ) from error
        give_back_memory()

    def _parameters(self, params: Any, path: Path) -> Any:  # noqa: ANN401 - xllamacpp has no types
        params.model.path = str(path)
        params.n_parallel = self._options.slots
        params.n_ctx = self._options.window_tokens * self._options.slots  # llama.cpp divides it among the slots
        params.ctx_shift = False  # a full window ends the answer; it never drops the beginning of the prompt
        params.n_batch = params.n_ubatch = BATCH_TOKENS
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self._options.threads
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

    def chat(self, body: Mapping[str, Any], on_chunk: Callable[[Chunk], bool]) -> None:
        """Answer in pieces until the end, or until `on_chunk` returns True, which it may also do within the prompt.

        Args:
            body: as OpenAI's chat completions; marks of the model's template in its messages are broken up.
            on_chunk: called on this thread with each piece; an error comes as one piece with the key "error".

        Raises:
            BadRequestError: llama.cpp refuses the request, such as a schema it does not know.
        """
        request = {
            **body,
            "messages": self._safe(body["messages"]),
            "stream": True,
            "stream_options": {"include_usage": True},
            "return_progress": True,
            "cache_prompt": self._options.reuse_prompts,
        }
        try:
            self._server.handle_chat_completions(request, on_chunk)
        except (ValueError, TypeError, RuntimeError) as error:
            raise BadRequestError(
                f"llama.cpp refused the request: {error}", next_step="Correct the messages or the schema."
            ) from error

    def count(self, messages: list[dict[str, str]]) -> int:
        """Tokens of the prompt, template included; needs no slot.

        Raises:
            BadRequestError: the model's template refuses the messages.
            RuntimeUnavailableError: the listener does not answer.
        """
        answer = self._post("/v1/chat/completions/input_tokens", {"messages": self._safe(messages)})
        if "input_tokens" not in answer:
            raise BadRequestError(f"The model cannot take these messages: {answer.get('error', {}).get('message')}.")
        return int(answer["input_tokens"])

    def tokenize(self, text: str) -> list[int]:
        """The text's tokens, with what the model wants at the beginning of every text; marks in it are broken up.

        Raises:
            RuntimeUnavailableError: the listener does not answer.
        """
        return list(self._post("/tokenize", {"content": self._marks.break_up(text), "add_special": True})["tokens"])

    def logprob(self, before: Sequence[int], token: int) -> float:
        """The natural logarithm of the token's probability after the tokens before it; needs a slot.

        The token is forced by a bias that no other outweighs; the probability that comes with it is the one before any
        bias. What was computed for the last call is used where the tokens begin alike.

        Raises:
            BadRequestError: llama.cpp refuses, as where there are more tokens than the window has room for.
            RuntimeUnavailableError: the listener does not answer.
        """
        body = {
            "prompt": list(before),
            "n_predict": 1,
            "n_probs": 1,
            "logit_bias": [[token, _FORCE]],
            "temperature": 0,
            "samplers": ["temperature"],
            "cache_prompt": True,
        }
        answer = self._post("/completion", body)
        for told in answer.get("completion_probabilities", ()):
            if told["id"] == token:
                return float(told["logprob"])
        raise BadRequestError(f"llama.cpp did not score a token: {answer.get('error', {}).get('message')}.")

    def _post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        connection = _UnixConnection(self._socket)
        headers = {"Authorization": f"Bearer {self._key}", "Connection": "close", "Content-Type": "application/json"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            answer: Mapping[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise RuntimeUnavailableError(f"llama.cpp does not answer at {path}: {error}.") from error
        finally:
            connection.close()
        return answer

    def _safe(self, messages: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
        """The messages with the model's own marks broken up in what they say (`llama_marks`)."""
        return [{**message, "content": self._marks.break_up(message["content"])} for message in messages]

    def close(self) -> None:
        """Unload the model; calling it twice is fine."""
        self._server = None  # the last reference: llama.cpp ends its loop and frees the memory
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
