"""What `nonet doctor` says of a model that it measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nonet.checks import Check, Status

_SLOW_TOKENS_PER_SECOND: Final = 5.0


def profile_checks(profile: Mapping[str, Any], *, deep: bool) -> list[Check]:
    """A kept profile in words: the model, what it reads, what it may decide in planning.

    Args:
        deep: everything was to be measured, so what was not is a warning.
    """
    checks = [_model_check(profile, deep=deep)]
    missing = profile["not_measured"]
    if "context" not in missing and profile.get("context_read_tokens"):
        checks.append(_context_check(profile))
    if profile.get("planning"):
        checks.append(planning_check(str(profile["model"]), profile["planning"]))
    return checks


def _model_check(profile: Mapping[str, Any], *, deep: bool) -> Check:
    missing = profile["not_measured"]
    parts = [words for part, words in _parts(profile).items() if part not in missing]
    if profile.get("thinking_asked") and "thinking" in missing:
        parts.append(_parts(profile)["thinking"])  # some of it was seen
    step = ""
    if missing:
        when = f"not measured within {profile['seconds']:.0f} s" if deep else "not measured (`nonet doctor --deep`)"
        parts.append(f"{when}: {', '.join(missing)}")
        step = (
            "Again: nonet doctor --deep, which then measures what is missing; on a quiet machine more fits."
            if deep
            else ""
        )
    slow = 0 < profile["generation_tokens_per_second"] < _SLOW_TOKENS_PER_SECOND
    if slow:
        step = "Answers will be slow here; try --light."
    status: Status = "warning" if slow or (deep and missing) else "ok"
    return Check(f"model {profile['model']}", status, "; ".join(parts), step, dict(profile))


def _parts(profile: Mapping[str, Any]) -> dict[str, str]:
    reads = _speed("reads", profile["prompt_tokens_per_second"])
    load = f"loads in {profile['load_seconds']:.1f} s, " if profile["load_seconds"] else ""
    said = {
        "speed": f"{load}{_speed('writes', profile['generation_tokens_per_second'])}, {reads}",
        "schema": f"keeps to a JSON schema {profile['schema_valid']:.0%}, and fills it rightly "
        f"{profile['schema_obedience']:.0%}",
        "routing": f"chooses rightly {profile['routing_accuracy']:.0%} (a guess: {profile['routing_chance']:.0%})",
        "judging": f"judges {profile['judge_right']} of {profile['judge_asked']} answers rightly",
    }
    if profile.get("thinking_asked"):
        said["thinking"] = (
            f"while it thinks, it keeps to a schema {profile['thinking_valid']:.0%} and fills it rightly "
            f"{profile['thinking_obedience']:.0%} of {profile['thinking_asked']}"
        )
    return said


def _context_check(profile: Mapping[str, Any]) -> Check:
    window, read = profile["window_tokens"], profile["context_read_tokens"]
    recalled, refused = profile["context_recalled_tokens"], profile["context_refused_tokens"]
    name = f"context {profile['model']}"
    knows = f"the first line of one of {recalled:,}" if recalled else "the first line of none that long"
    detail = f"read all of a prompt of {read:,} tokens (window: {window:,}), and gave back {knows}"
    if refused:
        step = "The window will be chosen smaller from now on, unless context_tokens is set."
        return Check(name, "warning", f"{detail}; one of {refused:,} did not fit", step)
    return Check(name, "ok", detail)


def planning_check(model: str, planning: Mapping[str, Any]) -> Check:
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
    return Check(f"planning {model}", "ok", f"{says} ({'; '.join(parts)})", data=dict(planning))


def _speed(verb: str, tokens_per_second: float) -> str:
    return f"{verb} {tokens_per_second:,.0f} tokens a second" if tokens_per_second else f"{verb} too fast to measure"
