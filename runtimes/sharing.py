"""How several processes share one server: whose model stays, who makes room, and how many slots each takes.

Pure, as the policy: it makes what other processes claim into what the policy looks at, and ours into a claim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nonet.runtimes.board import Board
from nonet.runtimes.hosts import Host
from nonet.runtimes.lines import Line, Priority
from nonet.runtimes.neighbours import Claim, Use


def heed(board: Board, host: Host, others: Sequence[Claim], now_s: float) -> bool:
    """Let the host's state say what the others do. True where that changed it."""
    before = (host.others_running, host.others_use, host.others_want, host.yields)
    entitled = wanted(board, host, others, now_s) is not None
    used: dict[str, float] = {}
    for claim in others:
        for name, use in claim.models.items():
            if use.running or (use.waiting and not entitled):  # who makes room for us waits with its calls
                used[name] = min(use.since_s, used.get(name, use.since_s))
    _agree_on_room(host, used, now_s)
    host.others_use = frozenset(used)
    host.others_want = next((claim.want for claim in others if claim.want), "")
    host.others_at_work = sum(claim.running for claim in others)
    host.others_running = _slots_left_to(host, others)
    return before != (host.others_running, host.others_use, host.others_want, host.yields)


def _agree_on_room(host: Host, used: Mapping[str, float], now_s: float) -> None:
    """Where two loaded at the same time, both know by the same rule whose model stays: the one that began first."""
    for name in used.keys() - host.loaded.keys():
        host.see_loaded([*host.loaded, name], now_s)
    ours = {name: model.turn_since_s for name, model in host.loaded.items() if model.busy}
    # The smaller of both, so that every process comes to the same order.
    turns = sorted(
        (min(ours.get(name, since), used.get(name, since)), name) for name, since in {**used, **ours}.items()
    )
    host.yields = frozenset(name for _, name in turns[host.room :] if name in ours)
    over = len(host.loaded) - host.room
    for name in [name for name, model in host.loaded.items() if not model.busy and name not in used][: max(0, over)]:
        del host.loaded[name]


def claim_of(board: Board, host: Host, others: Sequence[Claim], now_s: float) -> Claim:
    """What this process tells of itself."""
    models: dict[str, Use] = {}
    for name, model in host.loaded.items():
        waiting = max(board.work_for(name), board.outlook.at_work(name) - model.busy)  # some are between two calls
        if model.busy or waiting:
            interactive = board.lines.get((name, Priority.INTERACTIVE))
            somebody = model.running[Priority.INTERACTIVE] + (interactive.size if interactive else 0)
            models[name] = Use(model.busy, waiting, somebody, model.turn_since_s)
    line = wanted(board, host, others, now_s)
    return Claim(models, line.model if line is not None else "")


def wanted(board: Board, host: Host, others: Sequence[Claim], now_s: float) -> Line | None:
    """The line of ours that the others make room for: it is due, or somebody waits and they only have batches."""
    somebody = any(use.interactive for claim in others for use in claim.models.values())
    crowd = board.crowd()
    for line in sorted(board.waiting_lines(), key=lambda line: (line.priority, line.unserved_since_s)):
        if line.model in host.loaded or not host.has(line.model) or len(host.loaded) < host.room:
            continue
        if line.priority is Priority.INTERACTIVE and not somebody:
            return line
        if board.is_overdue(host, line, now_s, crowd):
            return line
    return None


def _slots_left_to(host: Host, others: Sequence[Claim]) -> int:
    """Slots that others have, or wait for where we have more than our share. One at least is ours."""
    running = sum(claim.running for claim in others)
    share = max(1, host.slots // (1 + sum(1 for claim in others if claim.running or claim.waiting)))
    if any(claim.waiting for claim in others):
        running = max(running, host.slots - share)
    return min(running, host.slots - share)
