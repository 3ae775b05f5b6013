"""Makes the scheduler of a session from the hosts that were chosen and from what was measured of them before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nonet.errors import RuntimeUnavailableError
from nonet.runtimes.board import Limits
from nonet.runtimes.pool import RuntimePool
from nonet.runtimes.scheduler import Scheduler

if TYPE_CHECKING:
    from nonet.graphs.choice import ChosenHost, ChosenRuntime
    from nonet.runtimes import ModelInfo
    from nonet.settings import Settings


def make_scheduler(
    settings: Settings, chosen: ChosenRuntime, models: Sequence[ModelInfo], embed_model: str | None
) -> Scheduler:
    """One scheduler over all hosts.

    Args:
        settings: for the limits.
        chosen: whose `models` were asked for.
        models: what it said.
        embed_model: kept in memory where there is room for another beside it.
    """
    scheduler = Scheduler(limits=Limits(settings.interactive_wait_seconds, settings.batch_wait_seconds))
    pool = chosen.runtime if isinstance(chosen.runtime, RuntimePool) else None
    for host in chosen.hosts:
        there = models if pool is None else pool.models_of(host.name)
        take_in(scheduler, host, there, knows_models=pool is not None)
        if not there and pool is not None:
            fault = RuntimeUnavailableError(f"No Ollama server answers at {host.name}.")
            scheduler.servers[host.name].open_breaker(fault)
    if embed_model is not None:
        scheduler.pin(embed_model)
    return scheduler


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
        present=[model.name for model in models] if knows_models and models else None,
        ahead=host.ahead,
        finds_slots=host.finds_slots,
    )
    scheduler.seen_loaded([model.name for model in models if model.loaded], host.name)
