"""How well the escalation rule can be calibrated: a replay of RouteLLM's cascade, a small and a large model's answers.

    python benchmarks/quality_calibration.py --data FOLDER

FOLDER holds routellm_cascade.dev.jsonl: items that Mixtral-8x7B (weak) and GPT-4 (strong) answered, with whether they
were right; of GSM8K, the weak model's words too. The confidence of a weak answer comes from nonet's own checks of those
words (no label is looked at), so that only GSM8K's items can be replayed. Cost: 1 a weak answer, 10 a strong one.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from nonet.agents.calibration import Measured, Rated, Trial, calibrate, climbed
from nonet.specialists import Outcome, Verdict
from nonet.specialists.checks import answer_checks, degeneration_check
from nonet.specialists.confidence import confidence

WEAK_COST, STRONG_COST = 1.0, 10.0
WANTED = (0.66, 0.70, 0.72, 0.74, 0.78, 0.82, 0.85)


def trial_of(item: dict[str, object]) -> Trial:
    """The weak answer with the confidence of our checks, then the strong one."""
    text = str(item["weak_response"])
    broken = degeneration_check(text)
    if broken is not None:
        outcome = Outcome(text, Verdict.FAILED, (broken,))
    else:
        outcome = Outcome(text, Verdict.UNVERIFIED, answer_checks(str(item["prompt"]), text))
    weak = Rated(confidence(outcome), bool(item["weak_correct"]), WEAK_COST)
    return weak, Rated(0.999, bool(item["strong_correct"]), STRONG_COST)


def random_router(trials: list[Trial], share: float) -> float:
    """The accuracy of sending that share up at random."""
    weak = sum(trial[0].right for trial in trials) / len(trials)
    strong = sum(trial[1].right for trial in trials) / len(trials)
    return weak + share * (strong - weak)


def row(name: str, measured: Measured, trials: list[Trial]) -> str:
    accuracy, cost = measured.accuracy, measured.cost
    return (
        f"| {name} | {accuracy.mean:.3f} [{accuracy.low:.3f}, {accuracy.high:.3f}] | {measured.climbed:.1%} | "
        f"{cost.mean:.2f} [{cost.low:.2f}, {cost.high:.2f}] | {random_router(trials, measured.climbed):.3f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    lines = (options.data / "routellm_cascade.dev.jsonl").read_text(encoding="utf-8").splitlines()
    trials = [trial_of(item) for item in map(json.loads, lines) if item.get("weak_response")]
    print(f"{len(trials)} items of GSM8K with the weak model's words")
    print("| wanted | accuracy on held-out folds [95 %] | sent up | cost [95 %] | at random, as many sent up |")
    print("|---|---|---:|---|---:|")
    for wanted in WANTED:
        found = calibrate(trials, wanted)
        if found is None:
            print(f"| {wanted:.2f} | not reached by any bar | | | |")
        else:
            print(row(f"{wanted:.2f} (bar {found.bar:.3f})", found.expected, trials))
    some = calibrate(trials, 0.0)
    if some is not None:
        print(row("weak alone", some.first_only, trials))
        print(row("strong alone", some.last_only, trials))
    needed = [trial for trial in trials if not trial[0].right and trial[1].right]
    oracle = sum(climbed(trial, 0.0)[0] for trial in trials) + len(needed)
    print(f"an oracle: {oracle / len(trials):.3f} with {len(needed) / len(trials):.1%} sent up")


if __name__ == "__main__":
    main()
