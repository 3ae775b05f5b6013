"""Questions whose answer stands in a passage that they do not name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes.desk import FakeDesk

from nonet.graphs.ask import ask_specialist
from nonet.graphs.searching import StoreSearcher
from nonet.graphs.session import Session
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.settings import Settings
from nonet.specialists import Assignment, Passage, Verdict
from nonet.specialists.hopping import bridges, follow, is_open, unanswered
from nonet.specialists.retrieval import RetrievalSpecialist
from nonet.store import NewDocument, Store

QUESTION = "Who is the spouse of the director of The Grey Harbour?"
DOCUMENTS = {
    "The Grey Harbour": "The Grey Harbour is a film of 1937. It was directed by Ida Lund and shot in Kesh.",
    "Ida Lund": "Ida Lund (1901 to 1980) made nine pictures. She was married to the painter Olaf Brandt.",
    "Grey herons": "Grey herons nest near every harbour. Who finds one may be lucky.",
    "The Red Harbour": "The director of The Red Harbour, a rival, was never married; his spouse was the sea.",
    "Directors": "A director has a spouse as often as not. The spouse of a director waits.",
    "Spouses": "On the rights of a spouse. A spouse may inherit.",
}


def passage(name: str) -> Passage:
    return Passage(name, 0, 1.0, 0, len(DOCUMENTS[name]), DOCUMENTS[name])


@pytest.fixture
def searcher(tmp_path: Path) -> Iterator[StoreSearcher]:
    with Store.open(tmp_path / "nonet.db") as store:
        store.documents.add_many([NewDocument(name, text) for name, text in DOCUMENTS.items()])
        yield StoreSearcher(store)


async def test_the_passage_behind_the_name_comes_up(searcher: StoreSearcher) -> None:
    first = list(await searcher.search(QUESTION, 6))
    before = [found.document for found in first]
    assert "Ida Lund" not in before
    after = await follow(QUESTION, first, searcher, 6)
    names = [found.document for found in after]
    assert names.index("The Grey Harbour") < 3
    assert names.index("Ida Lund") < names.index("Spouses")
    assert [found.score for found in after] == sorted((found.score for found in after), reverse=True)
    assert len({(found.document, found.chunk) for found in after}) == len(after) <= 6


@dataclass
class CountingSearcher:
    inner: StoreSearcher
    count: int = 0
    rounds: int = 1
    lacking: str = ""

    async def search(self, query: str, limit: int, *, broad: bool = False) -> list[Passage]:
        self.count += 1
        return list(await self.inner.search(query, limit, broad=broad))


async def test_searches_are_bounded(searcher: StoreSearcher) -> None:
    counting = CountingSearcher(searcher)
    await follow(QUESTION, await searcher.search(QUESTION, 6), counting, 6)
    assert 1 <= counting.count <= 12
    assert await follow(QUESTION, [], counting, 6) == []


def test_what_a_passage_leaves_open() -> None:
    assert unanswered(QUESTION, passage("The Grey Harbour")) == "Who is the spouse of the director of The"
    assert bridges(QUESTION, passage("The Grey Harbour"))[:2] == ["Ida Lund", "Kesh"]
    assert bridges("Where is Kesh?", passage("Ida Lund"))[0] == "Ida Lund"
    assert is_open("Who married the painter of the ceiling in the abbey at Kesh?", [passage("Ida Lund")])
    assert not is_open("Who directed The Grey Harbour?", [passage("The Grey Harbour")])
    assert not is_open("Who directed The Grey Harbour?", [])


@pytest.mark.parametrize(
    ("question", "further"),
    [
        ("Who directed The Grey Harbour?", False),
        ("What colour were the gloves, shoes and hat of the spouse behind The Grey Harbour?", True),
    ],
)
async def test_only_a_question_that_is_left_open_is_searched_further(
    searcher: StoreSearcher, question: str, *, further: bool
) -> None:
    counting = CountingSearcher(searcher)
    desk = FakeDesk(ScriptedRuntime(lambda _: "Ida Lund"), searcher=counting)
    outcome = await RetrievalSpecialist().work(Assignment(question), desk)
    assert (counting.count > 1) is further
    assert outcome.verdict is not Verdict.FAILED


CHAIN = {
    "The Grey Harbour": "The Grey Harbour is a film of 1937. It was produced by the house of Marlow Pictures.",
    "Marlow Pictures": "Marlow Pictures was a firm that Ida Lund led for nine years.",
    "Ida Lund": "Ida Lund was born in the village of Orrin as the child of a baker.",
    **{f"Village {number}": "A village where people were born, who led others, or not." for number in range(40)},
}
FAR = "In which village was the person born who led the producer behind The Grey Harbour?"


@pytest.mark.parametrize(("rounds", "reached"), [(0, False), (1, False), (2, True)])
async def test_a_question_of_two_rounds_takes_two(tmp_path: Path, rounds: int, *, reached: bool) -> None:
    with Store.open(tmp_path / "nonet.db") as store:
        store.documents.add_many([NewDocument(name, text) for name, text in CHAIN.items()])
        counting = CountingSearcher(StoreSearcher(store), rounds=rounds)
        desk = FakeDesk(ScriptedRuntime(lambda _: "Orrin"), searcher=counting)
        outcome = await RetrievalSpecialist().work(Assignment(FAR), desk)
    assert ("Ida Lund" in {place["document"] for place in outcome.data["passages"]}) is reached
    assert counting.count <= 1 + 12 * rounds


async def test_a_run_takes_the_rounds_of_its_settings(tmp_path: Path) -> None:
    db = tmp_path / "nonet.db"
    with Store.open(db) as store:
        store.documents.add_many([NewDocument(name, text) for name, text in CHAIN.items()])
    found = {}
    for rounds in (1, 2):
        async with await Session.open(Settings(runtime="scripted", db=db, search_rounds=rounds)) as session:
            session.embed_model = None
            result = await ask_specialist(session, "retrieval", FAR)
        found[rounds] = "Ida Lund" in {place["document"] for place in result.data["passages"]}
    assert found == {1: False, 2: True}
