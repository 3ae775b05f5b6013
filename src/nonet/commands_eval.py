"""`nonet eval`: measure, look at what was measured, compare it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nonet.commands_runs import when
from nonet.door import Door, Flags, open_door, open_store
from nonet.errors import NonetError, UsageError
from nonet.eval_view import View, show
from nonet.progress import counter
from nonet.render import columns, print_lines
from nonet.terminal import InterruptedByUserError, emit, out, run_async, say

if TYPE_CHECKING:
    from nonet.eval.evaluation import Measured, Order
    from nonet.eval.suites import Suite
    from nonet.eval.summary import Comparison
    from nonet.store import EvalRecord, Store

_MODEL_FREE = ("raw", "none")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for."""

    suites: Sequence[str]
    models: Sequence[str]
    """One after another; none: those of the settings."""
    arms: Sequence[str]
    against: str | None
    count: int
    seed: int
    data: Path | None
    again: bool
    form: str


def run(wanted: Wanted, flags: Flags, *, json: bool, quiet: bool) -> int:
    """Measure what is not known yet, model by model, and show it."""
    from nonet.eval.evaluation import Order  # noqa: PLC0415

    door = open_door(flags, json=json, quiet=quiet)
    suites = _suites(wanted)
    with open_store(door, create=True) as kept:
        other = _other(kept, wanted, suites)
        order = Order(suites, _arms(wanted, suites), wanted.count, wanted.seed, wanted.data, wanted.again)
        models: list[str | None] = [*dict.fromkeys(wanted.models)] or [None]
        batches = [_measure(open_door({**flags, "model": model}, quiet=quiet), order, kept) for model in models]
        comparisons = [
            each for batch in batches for each in _comparisons(kept, batch, other, wanted)
        ] + _between_models(batches)
        measured = {each.record.id: each for batch in batches for each in batch}
        show(_view(list(measured.values()), comparisons), wanted.form, json=json)
    return 0


def _measure(door: Door, order: Order, kept: Store) -> list[Measured]:
    from nonet.eval.evaluation import evaluate  # noqa: PLC0415

    done = [0, 0]
    try:
        with counter("Evaluating", quiet=door.quiet) as progress:

            def on_count(at: int, total: int, name: str) -> None:
                done[:] = at, total
                progress(at, total, name)

            return run_async(evaluate(order, door.loaded.settings, kept, on_count))
    except (InterruptedByUserError, NonetError) as error:
        if done[0] and not error.kept:
            error.kept = f"{done[0]} of {done[1]} answers are kept."
            error.next_step = error.next_step or "The same command goes on where it stopped."
        raise


def _between_models(batches: Sequence[Sequence[Measured]]) -> list[Comparison]:
    """Every further model against the first, suite by suite and arm by arm."""
    from nonet.eval.summary import compare  # noqa: PLC0415

    first = {(each.record.suite, each.record.arm): each for each in batches[0]}
    return [
        compare(each.record, each.items, against.record, against.items)
        for batch in batches[1:]
        for each in batch
        if (against := first.get((each.record.suite, each.record.arm))) and against.record.id != each.record.id
    ]


def _suites(wanted: Wanted) -> list[Suite]:
    from nonet.eval.suites import DEFAULT, suite_of  # noqa: PLC0415

    suites = [suite_of(name) for name in dict.fromkeys(wanted.suites or DEFAULT)]
    if wanted.data is not None and not wanted.data.exists():
        raise UsageError(f"There is no file or folder {wanted.data}.", next_step="Name one with --data.")
    if wanted.data is not None and wanted.data.is_file() and (len(suites) > 1 or not wanted.suites):
        raise UsageError(
            "A file of items goes with one suite.", next_step=f"For example: nonet eval code --data {wanted.data}"
        )
    return suites


def _arms(wanted: Wanted, suites: Sequence[Suite]) -> list[str]:
    """What was named; else nonet, or what a suite has in its place."""
    from nonet.eval.suites import NONET, check_arms  # noqa: PLC0415

    named = [part for each in wanted.arms for part in each.split(",") if part]
    names = named or [NONET if NONET in suite.arms else suite.arms[0] for suite in suites]
    return check_arms([*names, *([wanted.against] if wanted.against in _MODEL_FREE else [])])


def _other(kept: Store, wanted: Wanted, suites: Sequence[Suite]) -> EvalRecord | None:
    """The evaluation that --against names, looked up before anything is asked."""
    if wanted.against is None or wanted.against in _MODEL_FREE:
        return None
    record = kept.evals.get(wanted.against)
    if record.suite not in {suite.name for suite in suites}:
        raise UsageError(
            f"{record.id} is of the suite {record.suite}, which is not measured here.",
            next_step=f"Compare it with: nonet eval {record.suite} --against {record.id}",
        )
    return record


def _comparisons(
    kept: Store, measured: Sequence[Measured], other: EvalRecord | None, wanted: Wanted
) -> list[Comparison]:
    from nonet.eval.suites import RAW  # noqa: PLC0415
    from nonet.eval.summary import compare  # noqa: PLC0415

    found = []
    base = wanted.against if wanted.against in _MODEL_FREE else RAW
    for each in measured:
        if other is not None:
            if other.suite == each.record.suite and other.id != each.record.id:
                found.append(compare(each.record, each.items, other, kept.evals.items(other.id)))
            continue
        against = next(
            (one for one in measured if (one.record.suite, one.record.arm) == (each.record.suite, base)), None
        )
        if against is not None and against is not each:
            found.append(compare(each.record, each.items, against.record, against.items))
    return found


def _view(measured: Sequence[Measured], comparisons: Sequence[Comparison]) -> View:
    from nonet.eval.summary import summarize  # noqa: PLC0415

    summaries = [summarize(each.record, each.items, known=each.known) for each in measured]
    return View(summaries, comparisons, [(each.record, each.items) for each in measured])


def list_all(limit: int, flags: Flags, *, json: bool) -> int:
    """List evaluations, the newest first."""
    with open_store(open_door(flags)) as store:
        found = store.evals.list(limit)
    if json:
        emit({"evals": [_fields(each) for each in found]})
    elif found:
        rows = [
            [each.id, when(each.created_at_s), each.suite, each.arm, f"{each.items} items", each.models]
            for each in found
        ]
        print_lines(columns(rows, ("bold", "dim", "cyan", "", "", ""), indent=""))
    else:
        say("There are no evaluations yet. Make one with: nonet eval")
    return 0


def _fields(record: EvalRecord) -> dict[str, Any]:
    return {
        "eval": record.id,
        "suite": record.suite,
        "arm": record.arm,
        "models": record.models,
        "runtime": record.runtime,
        "facts": dict(record.facts),
        "items": record.items,
        "created_at_s": record.created_at_s,
    }


def show_some(names: Sequence[str], form: str, flags: Flags, *, json: bool) -> int:
    """Show evaluations side by side; with --json every answer, too."""
    from nonet.eval.summary import summarize  # noqa: PLC0415

    with open_store(open_door(flags)) as store:
        found = [(record, store.evals.items(record.id)) for record in map(store.evals.get, names or ["last"])]
    show(View([summarize(*each) for each in found], [], found), form, json=json, answers=True)
    return 0


def compare_two(first: str, second: str, form: str, flags: Flags, *, json: bool) -> int:
    """Compare two evaluations item by item."""
    from nonet.eval.summary import compare, summarize  # noqa: PLC0415

    with open_store(open_door(flags)) as store:
        found = [(record, store.evals.items(record.id)) for record in map(store.evals.get, (first, second))]
    comparison = compare(*found[0], *found[1])
    show(View([summarize(*each) for each in found], [comparison], found), form, json=json)
    return 0


def delete(names: Sequence[str], flags: Flags, *, json: bool) -> int:
    """Remove evaluations with their answers and judgements."""
    door: Door = open_door(flags)
    with open_store(door) as store:
        ids = [store.evals.get(name).id for name in names]
        store.evals.remove(ids)
    if json:
        emit({"deleted": ids})
    else:
        out(f"Deleted: {', '.join(ids)}")
    return 0
