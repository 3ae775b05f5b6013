"""Makes the scheduler of a session from the hosts that were chosen and from what was measured of them before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from platformdirs import user_state_path

from nonet.errors import RuntimeUnavailableError
from nonet.graphs.response_cache import StoreCache
from nonet.runtimes.board import Limits
from nonet.runtimes.energy import EnergyShares, find_meter
from nonet.runtimes.neighbours import Neighbours
from nonet.runtimes.once import Once
from nonet.runtimes.pool import RuntimePool
from nonet.runtimes.scheduler import Scheduler
from nonet.store import EmbedCall, ModelCost

if TYPE_CHECKING:
    from nonet.graphs.choice import ChosenHost, ChosenRuntime
    from nonet.runtimes import EmbedResponse, ModelInfo
    from nonet.settings import Settings
    from nonet.store import Store

_BYTES_A_MEGABYTE = 1_000_000


def make_scheduler(
    settings: Settings, chosen: ChosenRuntime, models: Sequence[ModelInfo], embed_model: str | None, store: Store
) -> Scheduler:
    """One scheduler over all hosts.

    Args:
        settings: for the limits.
        chosen: whose `models` were asked for.
        models: what it said.
        embed_model: kept in memory where there is room for another beside it.
        store: keeps answers and what models take.
    """
    meter = find_meter() if chosen.is_local else None
    scheduler = Scheduler(
        limits=Limits(settings.interactive_wait_seconds, settings.batch_wait_seconds),
        once=make_once(settings, models, store),
        energy=EnergyShares(meter) if meter is not None else None,
        on_embedded=partial(_count_embedding, store),
    )
    take_in_all(scheduler, chosen, models)
    if embed_model is not None:
        scheduler.pin(embed_model)
    _recall(scheduler, store)
    return scheduler


def make_once(settings: Settings, models: Sequence[ModelInfo], store: Store) -> Once | None:
    """What gives the answers of the store again; None where the settings leave no room for them."""
    most_bytes = settings.response_cache_megabytes * _BYTES_A_MEGABYTE
    versions = {model.name: model.version for model in models}
    return Once(versions, StoreCache(store, most_bytes)) if most_bytes else None


def _count_embedding(store: Store, model: str, answer: EmbedResponse) -> None:
    usage, trip = answer.usage, answer.trip
    store.accounts.embedded(
        EmbedCall(
            model,
            trip.host,
            prompt_tokens=usage.prompt_tokens,
            wait_seconds=trip.wait_seconds,
            load_seconds=usage.load_seconds,
            seconds=usage.seconds,
            swapped=bool(trip.pushed_out),
            swap_avoided=trip.swap_avoided,
            joules=trip.joules,
        )
    )


def take_in_all(scheduler: Scheduler, chosen: ChosenRuntime, models: Sequence[ModelInfo]) -> None:
    """Add every host that was chosen; one that did not say what it has is down until it answers.

    Args:
        scheduler: gets them.
        chosen: whose `models` were asked for.
        models: what it said.
    """
    pool = chosen.runtime if isinstance(chosen.runtime, RuntimePool) else None
    for host in chosen.hosts:
        there = models if pool is None else pool.models_of(host.name)
        take_in(scheduler, host, there, knows_models=pool is not None)
        if not there and pool is not None:
            fault = RuntimeUnavailableError(f"No Ollama server answers at {host.name}.")
            scheduler.servers[host.name].open_breaker(fault)


def _recall(scheduler: Scheduler, store: Store) -> None:
    """Begin with what earlier sessions, or the doctor, measured."""
    board = scheduler.policy.board
    for kept in store.models.profiles():
        load_seconds = json.loads(kept.profile_json).get("load_seconds", 0.0)
        for host in board.hosts.values():
            if load_seconds > 0 and scheduler.servers[host.name].runtime.name == kept.runtime:
                host.load_seconds[kept.model] = load_seconds
    for cost in store.hosts.costs():
        known = board.hosts.get(cost.host)
        if known is None:
            continue
        if cost.load_seconds > 0:
            known.load_seconds[cost.model] = cost.load_seconds
        if cost.call_seconds > 0:
            board.call_seconds[cost.model] = cost.call_seconds
        known.tokens_per_second = max(known.tokens_per_second, cost.tokens_per_second)


def keep_costs(scheduler: Scheduler, store: Store) -> None:
    """Keep what this session measured for those to come."""
    board = scheduler.policy.board
    costs = [
        ModelCost(
            host.name,
            model,
            host.load_seconds.get(model, 0.0),
            board.call_seconds.get(model, 0.0),
            host.tokens_per_second,
        )
        for host in board.hosts.values()
        if scheduler.servers[host.name].calls
        for model in host.loaded.keys() | host.load_seconds.keys()
    ]
    if costs:
        store.hosts.save_costs(costs)


def take_in(scheduler: Scheduler, host: ChosenHost, models: Sequence[ModelInfo], *, knows_models: bool) -> None:
    """Add a host.

    Args:
        scheduler: gets it.
        host: the host.
        models: what it has.
        knows_models: nothing but those is sent there.
    """
    scheduler.add_host(
        host.runtime,
        name=host.name,
        slots=host.slots,
        max_loaded=host.max_loaded,
        present=[model.name for model in models] if knows_models else None,
        ahead=host.ahead,
        finds_slots=host.finds_slots,
    )
    scheduler.seen_loaded([model.name for model in models if model.loaded], host.name)
    if host.shared:
        scheduler.share(host.name, Neighbours(user_state_path("nonet", appauthor=False) / "hosts", host.name))
