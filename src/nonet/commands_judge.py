"""`nonet eval judge`: two answers side by side, without names."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nonet.door import Flags, open_door, open_store
from nonet.errors import UsageError
from nonet.render import columns, print_lines, text
from nonet.terminal import emit, out, say

if TYPE_CHECKING:
    from nonet.eval.judging import Pair, Verdicts
    from nonet.store import EvalRecord, Store

_SIDES = {"a": "left", "1": "left", "b": "right", "2": "right", "t": "tie", "=": "tie"}
_QUESTION = "Which is better? a, b, t (tie), s (skip) or q (quit): "


def judge(first: str, second: str, name: str | None, seed: int, flags: Flags, *, results: bool, json: bool) -> int:
    """Ask a person; keep every choice at once, so that the same command goes on."""
    from nonet.eval.judging import open_pairs  # noqa: PLC0415

    door = open_door(flags)
    with open_store(door) as store:
        one, other = store.evals.get(first), store.evals.get(second)
        if one.suite != other.suite or one.id == other.id:
            raise UsageError(
                f"{one.id} and {other.id} are not two evaluations of one suite.",
                next_step="`nonet eval list` shows them.",
            )
        if not results:
            who = _judge_name(name)
            said = store.evals.choices(one.id, other.id)
            pairs, same = open_pairs(store.evals.items(one.id), store.evals.items(other.id), who, said, seed=seed)
            if same:
                say(f"{same} answers are the same in both and are not shown.")
            _ask_all(store, one, other, who, pairs)
        _show(store, one, other, json=json)
    return 0


def _judge_name(name: str | None) -> str:
    try:
        return (name or getpass.getuser()).strip() or "judge"
    except OSError:  # a user without a name
        return "judge"


def _ask_all(store: Store, one: EvalRecord, other: EvalRecord, who: str, pairs: Sequence[Pair]) -> None:
    from nonet.store import EvalChoice  # noqa: PLC0415

    for number, pair in enumerate(pairs, 1):
        say(f"\n{'=' * 20} {number} of {len(pairs)}: {pair.item}\n\n{pair.request}")
        say(f"\n{'-' * 20} a\n{pair.left}\n\n{'-' * 20} b\n{pair.right}\n")
        side = _side()
        if side == "quit":
            say(f"{number - 1} judged now; the same command goes on.")
            return
        if side != "skip":
            store.evals.choose(one.id, other.id, EvalChoice(pair.item, who, pair.choice(side), pair.left_is))
    say(f"{who} has judged all there is to judge." if pairs else f"{who} has nothing left to judge.")


def _side() -> str:
    """What the judge says: "left", "right", "tie", "skip" or "quit"; the end of standard input quits."""
    while True:
        sys.stderr.write(_QUESTION)
        sys.stderr.flush()
        try:
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            say("")
            return "quit"
        word = line.strip().lower()
        if not line or word in ("q", "quit"):
            return "quit"
        if word in ("s", "skip"):
            return "skip"
        if word in _SIDES:
            return _SIDES[word]
        say(f"{word!r} is none of a, b, t, s and q.")


def _show(store: Store, one: EvalRecord, other: EvalRecord, *, json: bool) -> None:
    from nonet.eval.judging import verdicts  # noqa: PLC0415

    said = store.evals.choices(one.id, other.id)
    found = verdicts(said)
    if json:
        emit({"first": one.id, "second": other.id, **found.to_json()})
        return
    if not said:
        out("Nobody has judged this pair yet.")
        return
    _print(found, one, other)


def _print(found: Verdicts, one: EvalRecord, other: EvalRecord) -> None:
    first, second = f"{one.arm} {one.id}", f"{other.arm} {other.id}"
    rows = [["judge", "items", first, second, "tie", "chose the left one"]]
    for name, counts in found.by_judge.items():
        rows.append([name, *(str(counts[key]) for key in ("items", "first", "second", "tie", "left"))])
    together = found.together
    rows.append(
        ["together", str(sum(together.values())), *(str(together[key]) for key in ("first", "second", "tie")), ""]
    )
    print_lines(columns(rows, ("bold",)))
    print_lines([text(f"  sign test: p = {found.p:.3g}")])
    for each in found.agreements:
        kappa = "not defined: chance alone explains it" if each.kappa is None else f"{each.kappa:.2f}"
        agree = f"{' and '.join(each.judges)}: {each.same} of {each.items} alike, Cohen's kappa {kappa}"
        print_lines([text(f"  {agree}")])
