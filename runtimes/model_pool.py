"""Which models of the embedded runtime are loaded: within a memory limit, the least recently used goes first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from nonet.errors import RuntimeUnavailableError
from nonet.runtimes.gguf import GgufHeader
from nonet.runtimes.llama_server import LlamaServer, ServerOptions

_OVERHEAD_BYTES = 96 * 1024 * 1024
"""What a model takes beside its weights and its cache: vocabulary, grammar tables, buffers (measured: 60 to 90 MiB)."""


@dataclass(slots=True, eq=False)
class _Model:
    """A model that is loaded, being loaded, or waiting for room."""

    size_bytes: int
    slots: asyncio.Semaphore
    loading: asyncio.Task[None] | None = None
    server: LlamaServer | None = None
    users: int = 0
    """Calls at work or waiting for a slot; above zero it is not unloaded."""


@dataclass(slots=True)
class Lease:
    """A slot of a loaded model. Give it back with `release` when the call has really ended."""

    server: LlamaServer
    load_seconds: float
    """How long this call waited for the model to be loaded; 0 where it was."""
    release: Callable[[], None]


@dataclass(slots=True)
class ModelPool:
    """Loads models when they are asked for; used from one event loop.

    Args:
        limit_bytes: what the loaded models may take together.
        most_loaded: models that are loaded at once; None: as many as fit.
        executor: where loading blocks.
    """

    limit_bytes: int
    most_loaded: int | None
    executor: ThreadPoolExecutor
    servers: dict[Path, LlamaServer] = field(default_factory=dict)
    """What is loaded now, least recently used first."""
    _models: dict[Path, _Model] = field(default_factory=dict)
    _room: asyncio.Lock = field(default_factory=asyncio.Lock)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _nobody_waits_for_room: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._nobody_waits_for_room.set()

    async def take(self, path: Path, header: GgufHeader, options: ServerOptions) -> Lease:
        """A slot of the model; loads it, and unloads others, where needed.

        Raises:
            RuntimeUnavailableError: it does not fit the memory limit, or llama.cpp cannot load it.
        """
        lease = await self.hold(path, header, options)
        slots = self._models[path].slots
        with ExitStack() as undo:
            undo.callback(lease.release)
            await slots.acquire()
            undo.pop_all()

        def release() -> None:
            slots.release()
            lease.release()

        return Lease(lease.server, lease.load_seconds, release)

    async def hold(self, path: Path, header: GgufHeader, options: ServerOptions) -> Lease:
        """As `take`, without a slot: for what needs no computing, such as counting tokens."""
        if path in self.servers:
            await self._nobody_waits_for_room.wait()  # else a stream of calls to one model would starve another
        started = time.monotonic()
        model = self._models.get(path) or self._start_loading(path, header, options)
        was_loaded = model.server is not None
        model.users += 1
        with ExitStack() as undo:
            undo.callback(self._leave, model)
            server = await self._server(model)
            undo.pop_all()
        self.servers[path] = self.servers.pop(path)  # the most recently used is last
        load_seconds = 0.0 if was_loaded else time.monotonic() - started
        return Lease(server, load_seconds, lambda: self._leave(model))

    async def aclose(self) -> None:
        """Wait until no call is under way, then unload everything."""
        loading = [model.loading for model in self._models.values() if model.loading is not None]
        await asyncio.gather(*loading, return_exceptions=True)
        while any(model.users for model in self._models.values()):
            await self._wait_for_change()
        for path in list(self.servers):
            self._unload(path)

    async def _server(self, model: _Model) -> LlamaServer:
        if model.server is None and model.loading is not None:
            await asyncio.shield(model.loading)
        if model.server is None:
            raise RuntimeUnavailableError("The embedded runtime was closed while the model was being loaded.")
        return model.server

    def _start_loading(self, path: Path, header: GgufHeader, options: ServerOptions) -> _Model:
        model = self._models[path] = _Model(_estimate(header, options), asyncio.Semaphore(options.slots))
        model.loading = asyncio.create_task(self._load(path, model, options))
        model.loading.add_done_callback(lambda task: task.cancelled() or task.exception())  # its callers may be gone
        return model

    async def _load(self, path: Path, model: _Model, options: ServerOptions) -> None:
        """Make room, then load. A cancelled call does not stop it: the next call finds the model there."""
        try:
            async with self._room:
                await self._make_room(path, model.size_bytes)
                loop = asyncio.get_running_loop()
                model.server = await loop.run_in_executor(self.executor, LlamaServer, path, options)
                self.servers[path] = model.server
        finally:
            model.loading = None
            if model.server is None:
                del self._models[path]

    async def _make_room(self, path: Path, size_bytes: int) -> None:
        if size_bytes > self.limit_bytes:
            raise RuntimeUnavailableError(
                f"{path.name} needs about {size_bytes >> 20} MiB; models may take {self.limit_bytes >> 20} MiB.",
                next_step="Raise memory_limit_bytes, lower context_tokens or slots, or use a smaller model.",
            )
        try:
            while not self._has_room(size_bytes):
                idle = next((loaded for loaded in self.servers if not self._models[loaded].users), None)
                if idle is not None:
                    self._unload(idle)
                else:
                    self._nobody_waits_for_room.clear()
                    await self._wait_for_change()
        finally:
            self._nobody_waits_for_room.set()

    def _has_room(self, size_bytes: int) -> bool:
        if self.most_loaded is not None and len(self.servers) >= self.most_loaded:
            return False
        return sum(self._models[loaded].size_bytes for loaded in self.servers) + size_bytes <= self.limit_bytes

    def _unload(self, path: Path) -> None:
        del self._models[path]
        self.servers.pop(path).close()

    def _leave(self, model: _Model) -> None:
        model.users -= 1
        self._changed.set()

    def _wait_for_change(self) -> Awaitable[bool]:
        self._changed.clear()
        return self._changed.wait()


def _estimate(header: GgufHeader, options: ServerOptions) -> int:
    cache = header.kv_bytes_per_token * options.window_tokens * options.slots
    return header.size_bytes + cache + _OVERHEAD_BYTES
