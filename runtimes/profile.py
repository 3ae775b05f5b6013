"""What a model can do here, as it was measured: its speed, whether it obeys a schema, chooses, judges, and reads all.

A name says little: planner and scheduler trust a model with as much as its profile shows (`nonet doctor`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

SPEED, SCHEMA, ROUTING, CONTEXT = "speed", "schema", "routing", "context"
THINKING, JUDGING, PLANNING = "thinking", "judging", "planning"

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    SPEED: ("prompt_tokens_per_second", "generation_tokens_per_second", "load_seconds"),
    SCHEMA: ("schema_asked", "schema_valid", "schema_obedience"),
    ROUTING: ("routing_asked", "routing_accuracy", "routing_chance"),
    CONTEXT: ("window_tokens", "context_read_tokens", "context_recalled_tokens", "context_refused_tokens"),
    THINKING: ("thinks", "thinking_asked", "thinking_valid", "thinking_obedience"),
    JUDGING: ("judge_right", "judge_asked"),
    PLANNING: ("planning",),
}
"""What each part of a measurement finds, in the order of measuring: the most useful first."""
PARTS: Final = tuple(FIELDS)


@dataclass(slots=True)
class ModelProfile:
    """What was measured of one model on one runtime. `dataclasses.asdict` gives JSON values."""

    runtime: str
    model: str
    digest: str
    """Of the weights, so that a stale profile can be told; empty where the runtime does not know it."""
    prompt_tokens_per_second: float = 0.0
    """0 where it was too fast to measure."""
    generation_tokens_per_second: float = 0.0
    """0 where it was too fast to measure."""
    load_seconds: float = 0.0
    """0 where the model was loaded already."""
    schema_asked: int = 0
    schema_valid: float = 0.0
    """Share of the schema tasks whose answer obeys the schema, 0 to 1. Noise can reach 1."""
    schema_obedience: float = 0.0
    """Share of the schema tasks whose answer obeys the schema and is right, 0 to 1. Noise cannot."""
    routing_asked: int = 0
    routing_accuracy: float = 0.0
    """Share of requests for which it chose the right specialist of three, 0 to 1."""
    routing_chance: float = 0.0
    """What always giving the same answer scores."""
    window_tokens: int = 0
    """Prompt and answer together, as the runtime says that it serves the model."""
    context_read_tokens: int = 0
    """The longest prompt that was seen to be read whole."""
    context_recalled_tokens: int = 0
    """The longest prompt whose first line the model gave back when it was asked for it; 0: none."""
    context_refused_tokens: int = 0
    """The shortest prompt that did not fit, though the window said so; 0: none was seen."""
    thinks: bool = False
    thinking_asked: int = 0
    thinking_valid: float = 0.0
    """As schema_valid, while it thinks before it answers."""
    thinking_obedience: float = 0.0
    """As schema_obedience, while it thinks before it answers."""
    judge_right: int = 0
    """Right verdicts on answers of which half are wrong."""
    judge_asked: int = 0
    seconds: float = 0.0
    """What measuring took."""
    not_measured: list[str] = field(default_factory=list)
    """Parts that the time did not suffice for, or that were not asked for."""


def with_earlier(new: Mapping[str, Any], earlier: Mapping[str, Any] | None) -> dict[str, Any]:
    """A profile to keep: what was not measured this time is as it was measured before, of the same weights.

    >>> with_earlier({"digest": "a", "judge_right": 0, "not_measured": ["judging"]},
    ...              {"digest": "a", "judge_right": 9, "judge_asked": 12, "not_measured": []})
    {'digest': 'a', 'judge_right': 9, 'not_measured': [], 'judge_asked': 12}
    """
    kept = dict(new)
    if earlier is None or earlier.get("digest") != new["digest"]:
        return kept
    kept["not_measured"] = []
    for part in new["not_measured"]:
        known = {name: earlier[name] for name in FIELDS[part] if name in earlier}
        if known and part not in earlier.get("not_measured", ()):
            kept |= known
        else:
            kept["not_measured"].append(part)
    return kept
