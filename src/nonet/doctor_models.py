"""What `nonet doctor` measures of each model that would be used; it is kept in the database."""

from __future__ import annotations

import json as json_module
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from nonet.checks import Check
from nonet.commands_specialists import staff_of
from nonet.doctor_words import profile_checks
from nonet.errors import NonetError
from nonet.progress import counter

if TYPE_CHECKING:
    from nonet.door import Door
    from nonet.runtimes import ModelInfo, Runtime
    from nonet.settings import Settings
    from nonet.store import Store

QUICK_SECONDS: Final = 30.0
DEEP_SECONDS: Final = 100.0
"""For all that is measured of one model; with the start of a busy machine it is still less than two minutes."""


async def profiles(door: Door, runtime: Runtime, found: Sequence[ModelInfo], *, deep: bool) -> list[Check]:
    """How fast each model that would be used is, whether it keeps to a schema and plans; kept in the database.

    Args:
        deep: measure everything, within DEEP_SECONDS a model; else the first parts, within QUICK_SECONDS.
    """
    from nonet.graphs.ladders import choose_embedder  # noqa: PLC0415

    settings = door.loaded.settings
    used = ladder_models(settings, found, runtime.name)
    if used and settings.planner_model in {model.name for model in found} - set(used):
        used.append(str(settings.planner_model))
    checks = []
    for name in used:
        try:
            measured = await measured_model(door, runtime, name, choose_embedder(settings, found), deep=deep)
        except NonetError as error:
            checks.append(Check(f"model {name}", "warning", error.message, error.next_step))
            continue
        checks += profile_checks(kept_profile(settings, runtime.name, measured), deep=deep)
    return checks


async def measured_model(
    door: Door, runtime: Runtime, name: str, embedder: str | None, *, deep: bool
) -> dict[str, Any]:
    """The profile of one model, as it is kept. Raises as `Runtime.chat`."""
    from nonet.graphs.measuring import measure_plans  # noqa: PLC0415
    from nonet.runtimes.profile import PARTS, PLANNING, ROUTING, SCHEMA, SPEED  # noqa: PLC0415
    from nonet.runtimes.profile_measuring import measure  # noqa: PLC0415

    started = time.monotonic()
    limit = DEEP_SECONDS if deep else QUICK_SECONDS
    digest = (await runtime.describe(name)).digest
    missing = _missing(door.loaded.settings, runtime.name, name, digest)
    parts = ((SPEED, *missing) if missing else PARTS) if deep else (SPEED, SCHEMA, ROUTING)
    with counter(f"Measuring {name}:", quiet=door.quiet) as progress:
        profile = await measure(runtime, name, parts=parts, limit_seconds=limit, on_progress=progress)
    kept = asdict(profile)
    left = started + limit - time.monotonic()
    if PLANNING in parts and left > 0:
        with counter(f"Planning with {name}:", quiet=door.quiet) as progress:
            planning = await measure_plans(runtime, name, embedder, progress, limit_seconds=left)
        kept["planning"] = planning.to_json()
        if planning.complete:
            kept["not_measured"].remove(PLANNING)
    kept["seconds"] = round(time.monotonic() - started, 1)
    return kept


def kept_profile(settings: Settings, runtime: str, measured: Mapping[str, Any]) -> dict[str, Any]:
    """Keep a profile in the database, with what is known from earlier of what was not measured now."""
    from nonet.runtimes.profile import with_earlier  # noqa: PLC0415
    from nonet.store import Store  # noqa: PLC0415

    with Store.open(settings.database_path()) as store:
        kept = with_earlier(measured, _earlier(store, runtime, measured["model"]))
        store.models.save_profile(runtime, kept["model"], kept["digest"], json_module.dumps(kept))
    return kept


def _missing(settings: Settings, runtime: str, model: str, digest: str) -> list[str]:
    """What an earlier measurement of the same weights did not come to."""
    from nonet.store import Store  # noqa: PLC0415

    with Store.open(settings.database_path()) as store:
        earlier = _earlier(store, runtime, model) or {}
    return list(earlier.get("not_measured", ())) if earlier.get("digest") == digest else []


def _earlier(store: Store, runtime: str, model: str) -> dict[str, Any] | None:
    stored = store.models.profile(runtime, model)
    return None if stored is None else dict(json_module.loads(stored.profile_json))


def ladder_models(settings: Settings, found: Sequence[ModelInfo], runtime: str) -> list[str]:
    """The chat models that specialists would use, each once; none where a specialist would have no model."""
    from nonet.graphs.ladders import choose_ladders  # noqa: PLC0415

    staff = staff_of(settings)
    try:
        ladders = choose_ladders(settings, found, tuple(staff.specialists), runtime, staff.models)
    except NonetError:  # told by `models` already
        return []
    return list(dict.fromkeys(name for ladder in ladders.values() for name in ladder))
