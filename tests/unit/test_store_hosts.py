"""The response cache of a database, and what it knows of hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nonet.store import CallRecord, ModelCost, Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "nonet.db") as opened:
        yield opened


def test_an_answer_is_kept_and_its_hits_are_counted(store: Store) -> None:
    assert store.responses.get("k1") is None
    store.responses.put("k1", "tiny", "yes", 1000)
    assert store.responses.counts().responses == 1
    assert [store.responses.get("k1"), store.responses.get("k1"), store.responses.get("k2")] == ["yes", "yes", None]
    assert store.responses.counts().hits == 2
    assert store.responses.clear() == 1
    assert store.responses.counts().responses == 0


def test_the_cache_is_bounded_and_what_was_used_longest_ago_goes(store: Store) -> None:
    for number in range(20):
        store.responses.put(f"k{number:02}", "tiny", "x" * 97, 1000)  # 100 bytes each
    assert store.responses.counts().size_bytes <= 1000
    assert store.responses.get("k19") is not None
    assert store.responses.get("k01") is None
    before = store.responses.counts()
    store.responses.put("large", "tiny", "x" * 2000, 1000)
    assert store.responses.counts() == before


def test_hosts_are_added_drained_and_removed(store: Store) -> None:
    store.hosts.add("a:1")
    store.hosts.add("b:2", draining=True)
    store.hosts.add("a:1", draining=True)
    assert [(host.address, host.draining) for host in store.hosts.known()] == [("a:1", True), ("b:2", True)]
    assert store.hosts.remove("a:1")
    assert not store.hosts.remove("a:1")
    assert [host.address for host in store.hosts.known()] == ["b:2"]


def test_what_was_measured_replaces_what_was_known_but_nothing_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "nonet.db"
    with Store.open(path) as store:
        store.hosts.save_costs([ModelCost("h", "tiny", 4.0, 1.0, 30.0), ModelCost("h", "large", 9.0, 2.0, 10.0)])
        store.hosts.save_costs([ModelCost("h", "tiny", 0.0, 2.0, 0.0)])
    with Store.open(path) as store:
        costs = {cost.model: cost for cost in store.hosts.costs()}
    assert costs == {"tiny": ModelCost("h", "tiny", 4.0, 2.0, 30.0), "large": ModelCost("h", "large", 9.0, 2.0, 10.0)}


def test_a_call_keeps_what_it_cost(store: Store) -> None:
    lease = store.runs.create("task", runtime="scripted", owner="tests")
    call = CallRecord(
        "tiny", seconds=2.0, host="h", origin="cache", swapped_out="large", swap_avoided=True, wait_seconds=1.0,
        prompt_seconds=0.5, generation_seconds=1.5, cached_tokens=7, joules=3.5,
    )  # fmt: skip
    store.runs.record_call(lease, "s1", 1, call)
    store.runs.record_call(lease, "s1", 1, CallRecord("tiny"))
    first, second = store.runs.get(lease.run).calls
    kept = (first.host, first.origin, first.swapped_out, first.swap_avoided, first.wait_seconds, first.prompt_seconds)
    assert kept == ("h", "cache", "large", True, 1.0, 0.5)
    assert (first.generation_seconds, first.cached_tokens, first.joules) == (1.5, 7, 3.5)
    assert (second.swap_avoided, second.joules) == (False, None)
