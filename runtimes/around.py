"""Looks at what other processes do with our servers, and tells them what this one does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from nonet.runtimes.board import Board
from nonet.runtimes.neighbours import Neighbours
from nonet.runtimes.servers import Server
from nonet.runtimes.sharing import claim_of, heed

_LOOK_SECONDS = 0.1
"""Between two looks while there are others."""
_LOOK_ALONE_SECONDS = 0.5


class LookAround:
    """Looks while there is work, and once more when it has ended, so that what was claimed is free.

    Args:
        board: of the policy.
        servers: by host.
        on_change: called when calls may start that could not before.
    """

    def __init__(self, board: Board, servers: Mapping[str, Server], on_change: Callable[[], None]) -> None:
        self._board = board
        self._servers = servers
        self._on_change = on_change
        self._neighbours: dict[str, Neighbours] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next_s = 0.0

    def share(self, host: str, neighbours: Neighbours) -> None:
        """Others may use this host as well."""
        self._neighbours[host] = neighbours
        self._next_s = 0.0

    def leave(self, host: str) -> None:
        """The host is not used any more."""
        neighbours = self._neighbours.pop(host, None)
        if neighbours is not None:
            neighbours.close()

    def look(self, now_s: float, *, now: bool = False) -> None:
        """Look, if it is time or `now`."""
        if not self._neighbours or (now_s < self._next_s and not now):
            return
        alone, idle = True, not any(self._board.waiting_lines())
        for name, neighbours in self._neighbours.items():
            host = self._servers[name].host
            others = neighbours.others()
            if heed(self._board, host, others, now_s) and others:
                self._servers[name].look(now=True)
            ours = claim_of(self._board, host, others, now_s)
            neighbours.tell(ours)
            alone = alone and not others
            idle = idle and not ours.models
        pause_s = _LOOK_ALONE_SECONDS if alone else _LOOK_SECONDS
        self._next_s = now_s + pause_s
        if not idle and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(pause_s, self._again)

    def close(self) -> None:
        """Leave every host."""
        if self._timer is not None:
            self._timer.cancel()
        for host in list(self._neighbours):
            self.leave(host)

    def _again(self) -> None:
        self._timer = None
        self._next_s = 0.0
        self._on_change()
