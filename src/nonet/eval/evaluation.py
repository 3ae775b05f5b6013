"""Measuring: every item of every suite by every arm, kept as it is answered, never asked twice."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nonet
from nonet.errors import SandboxUnavailableError, UsageError
from nonet.eval.answering import Asker
from nonet.eval.arms import Arm, open_arm
from nonet.eval.grading import grade
from nonet.eval.items import Item, References, UnitTests, digest, sample, tokens_of
from nonet.eval.libraries import check_libraries
from nonet.eval.reading import read_suite
from nonet.eval.suites import NONET, Suite, Work
from nonet.store import EvalItem, EvalRecord, NewEval

if TYPE_CHECKING:
    from nonet.settings import Settings
    from nonet.store import Store

OnCount = Callable[[int, int, str], None]
"""Items done, in all, and what is at work."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be measured."""

    suites: Sequence[Suite]
    arms: Sequence[str]
    """In the order of nonet.eval.suites.ARMS; those that a suite does not have are left out of it."""
    count: int
    """Items a suite; 0 for all."""
    seed: int = 0
    data: Path | None = None
    again: bool = False
    """Ask anew what was answered before."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One arm on one suite."""

    record: EvalRecord
    items: tuple[EvalItem, ...]
    """Those that were ordered, in their order."""
    known: int
    """Of them: answered by an earlier command."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """The items of a suite."""

    suite: Suite
    items: Sequence[Item]
    digest: str
    source: str


def read_order(order: Order) -> list[_Asking]:
    """Read all that is to be asked.

    Raises:
        UsageError: data that is not there or not in its form, or no arm that a suite could be measured by.
        ResourceError: a library for the grades, or a sandbox for code, is missing.
    """
    found = []
    for suite in order.suites:
        if not set(order.arms) & set(suite.arms):
            raise UsageError(
                f"The suite {suite.name} cannot be measured by: {', '.join(order.arms)}.",
                next_step=f"It can by: {', '.join(suite.arms)}.",
            )
        every = read_suite(suite, order.data)
        items = sample(every, order.count, order.seed)
        if suite.work is Work.SEARCH:  # a collection is read once
            items.sort(key=lambda item: item.group)
        source = str(order.data or ("of nonet" if suite.work is Work.PROBE else "benchmarks/data"))
        found.append(_Asking(suite, items, digest(every), source))
        check_libraries(items)
    return found


async def evaluate(order: Order, settings: Settings, kept: Store, on_count: OnCount) -> list[Measured]:
    """Measure what is not known yet. Every answer is kept at once: stopped, the same order goes on where it was.

    Args:
        order: what to measure.
        settings: as for a run; each arm changes what its name says.
        kept: where answers are kept, and what was measured of the models stands.
        on_count: told after every item.

    Raises:
        UsageError, ResourceError: as `read_order`, and where a model or runtime is missing.
        StoreError: an answer cannot be kept.
    """
    askings = read_order(order)
    total = sum(len(each.items) for name in order.arms for each in askings if name in each.suite.arms)
    counter = _Counter(on_count, total)
    budgets: dict[str, Mapping[str, int]] = {}
    measured: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="nonet-eval-") as folder:
        for name in order.arms:
            async with open_arm(name, settings, kept, Path(tempfile.mkdtemp(dir=folder))) as arm:
                for asking in askings:
                    if name in asking.suite.arms:
                        one = await _measure(arm, asking, order, budgets.get(asking.suite.name, {}), counter)
                        measured.append(one)
                        if name == NONET:
                            budgets[asking.suite.name] = {each.item: tokens_of(each.usage) for each in one.items}
    return sorted(measured, key=lambda each: [asking.suite.name for asking in askings].index(each.record.suite))


@dataclass(slots=True)
class _Counter:
    on_count: OnCount
    total: int
    done: int = 0

    def add(self, what: str, count: int = 1) -> None:
        self.done += count
        self.on_count(self.done, self.total, what)


async def _measure(arm: Arm, asking: _Asking, order: Order, budgets: Mapping[str, int], counter: _Counter) -> Measured:
    store, suite = arm.kept, asking.suite
    if suite.work is Work.ANSWER and arm.session.sandbox() is None and _has_tests(asking.items):
        raise SandboxUnavailableError(
            "No sandbox works on this machine, so code cannot be graded.",
            kept="Nothing was asked.",
            next_step="`nonet doctor` says what a sandbox needs.",
        )
    _check_specialists(arm, asking.items)
    key = arm.key(suite, asking.digest, order.seed)
    record = None if order.again else store.evals.newest(key)
    if record is None:
        record = store.evals.create(_new(arm, asking, order, key))
    known = {each.item: each for each in store.evals.items(record.id)}
    there = [known[item.id] for item in asking.items if item.id in known]
    counter.add(f"{suite.name} {arm.name}", len(there))
    asker = Asker(arm, suite, order.seed)
    try:
        for item in asking.items:
            if item.id in known:
                continue
            counter.add(f"{suite.name} {arm.name} {item.id}", 0)
            known[item.id] = await _ask(asker, item, budgets.get(item.id, 0))
            store.evals.keep(record.id, known[item.id])
            counter.add(f"{suite.name} {arm.name} {item.id}")
    finally:
        asker.close()
    items = tuple(known[item.id] for item in asking.items)
    return Measured(store.evals.get(record.id), items, len(there))


def _check_specialists(arm: Arm, items: Sequence[Item]) -> None:
    there = {"", *arm.session.specialists}
    for item in items:
        if item.specialist not in there:
            raise UsageError(
                f"The item {item.id} is for the specialist {item.specialist!r}, which is not there.",
                next_step=f"There are: {', '.join(arm.session.specialists)}.",
            )


def _has_tests(items: Sequence[Item]) -> bool:
    return any(isinstance(check, UnitTests) for item in items for check in item.checks)


def _new(arm: Arm, asking: _Asking, order: Order, key: str) -> NewEval:
    settings = arm.session.settings
    facts: dict[str, Any] = {
        "seed": order.seed,
        "data": asking.source,
        "data_digest": asking.digest,
        "context_tokens": settings.context_tokens,
        "max_completion_tokens": settings.max_completion_tokens,
        "nonet": nonet.__version__,
    }
    return NewEval(asking.suite.name, arm.name, arm.models(asking.suite), arm.session.runtime.name, key, facts)


async def _ask(asker: Asker, item: Item, budget_tokens: int) -> EvalItem:
    started = time.perf_counter()
    answer = await asker.answer(item, budget_tokens)
    seconds = time.perf_counter() - started
    scores = await grade(item, answer, asker.arm.session.sandbox() if _has_tests([item]) else None)
    usage, facts = asdict(answer.usage), dict(answer.facts)
    if "error" in facts:
        usage["seconds"] = seconds
    for check in item.checks:
        if isinstance(check, References) and check.metric == "translation":
            facts["references"] = list(check.texts)  # BLEU is of the whole set, counted when it is complete
    return EvalItem(item.id, item.group, item.request, answer.text, answer.verdict, scores, usage, facts)
