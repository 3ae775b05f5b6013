"""What `nonet doctor` measures of each model that would be used, and what it says of it."""

from __future__ import annotations

import json as json_module
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nonet.checks import Check
from nonet.errors import NonetError
from nonet.progress import counter

if TYPE_CHECKING:
    from nonet.door import Door
    from nonet.runtimes import ModelInfo, Runtime
    from nonet.runtimes.profile import ModelProfile
    from nonet.settings import Settings

_SLOW_TOKENS_PER_SECOND = 5.0


async def profiles(door: Door, runtime: Runtime, found: Sequence[ModelInfo]) -> list[Check]:
    """How fast each model that would be used is, whether it keeps to a schema and plans; kept in the database."""
    from nonet.graphs.ladders import choose_embedder  # noqa: PLC0415
    from nonet.graphs.measuring import measure_plans  # noqa: PLC0415
    from nonet.runtimes.profile import measure  # noqa: PLC0415
    from nonet.store import Store  # noqa: PLC0415

    settings = door.loaded.settings
    used = ladder_models(settings, found, runtime.name)
    if used and settings.planner_model in {model.name for model in found} - set(used):
        used.append(str(settings.planner_model))
    checks = []
    for name in used:
        try:
            with counter(f"Measuring {name}:", quiet=door.quiet) as progress:
                profile = await measure(runtime, name, on_progress=progress)
            with counter(f"Planning with {name}:", quiet=door.quiet) as progress:
                planning = await measure_plans(runtime, name, choose_embedder(settings, found), progress)
        except NonetError as error:
            checks.append(Check(f"model {name}", "warning", error.message, error.next_step))
            continue
        kept = {**asdict(profile), "planning": planning.to_json()}
        with Store.open(settings.database_path()) as store:
            store.models.save_profile(runtime.name, name, profile.digest, json_module.dumps(kept))
        checks.append(profile_check(profile))
        checks.append(planning_check(name, kept["planning"]))
    return checks


def ladder_models(settings: Settings, found: Sequence[ModelInfo], runtime: str) -> list[str]:
    """The chat models that specialists would use, each once; none where a specialist would have no model."""
    from nonet.graphs.ladders import choose_ladders  # noqa: PLC0415
    from nonet.specialists.catalog import default_specialists  # noqa: PLC0415

    try:
        ladders = choose_ladders(settings, found, tuple(default_specialists()), runtime)
    except NonetError:  # told by `models` already
        return []
    return list(dict.fromkeys(name for ladder in ladders.values() for name in ladder))


def profile_check(profile: ModelProfile) -> Check:
    """A profile in words."""
    speed = profile.generation_tokens_per_second
    detail = (
        f"{_speed('writes', speed)}, {_speed('reads', profile.prompt_tokens_per_second)}; "
        f"keeps to a JSON schema {profile.schema_valid:.0%}, and fills it rightly {profile.schema_obedience:.0%}; "
        f"chooses rightly {profile.routing_accuracy:.0%} (a guess: {profile.routing_chance:.0%}); "
        f"judges {profile.judge_right} of {profile.judge_asked} answers rightly"
    )
    name = f"model {profile.model}"
    if 0 < speed < _SLOW_TOKENS_PER_SECOND:
        return Check(name, "warning", detail, "Answers will be slow here; try --light.", asdict(profile))
    return Check(name, "ok", detail, data=asdict(profile))


def planning_check(model: str, planning: dict[str, Any]) -> Check:
    """What the model may decide in planning, in words."""
    from nonet.agents.trust import trust_of  # noqa: PLC0415

    trust = trust_of({"planning": planning})
    routing, edges = planning["routing"], planning["edges"]
    parts = [f"surely right in {routing['right']} of {routing['asked']} choices of a specialist"]
    if edges["asked"]:
        parts.append(f"{edges['right']} of {edges['asked']} of what a step reads")
    for name, rung in planning["rungs"].items():
        parts.append(f"{name} {rung['right']} of {rung['items']} plans")
    parts.append(f"the rules {planning['rules_right']} of {planning['items']}")
    may = [
        *(["choose where the rules are unsure"] if trust.routing else []),
        *(["say what a step reads"] if trust.edges else []),
        *[f"plan before the rules ({name})" for name in trust.before],
        *[f"plan where the rules doubt ({name})" for name in trust.after],
    ]
    says = f"may {', '.join(may)}" if may else "is asked nothing: it was not seen to do better than chance or the rules"
    return Check(f"planning {model}", "ok", f"{says} ({'; '.join(parts)})", data=planning)


def _speed(verb: str, tokens_per_second: float) -> str:
    return f"{verb} {tokens_per_second:,.0f} tokens a second" if tokens_per_second else f"{verb} too fast to measure"
