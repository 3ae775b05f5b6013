"""Arabic and Hebrew from the file to the quote, with the characters that set the direction of a text."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.desk import FakeDesk

from nonet.graphs.documents import add_documents
from nonet.graphs.searching import StoreSearcher
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists import Assignment
from nonet.specialists.retrieval import RetrievalSpecialist
from nonet.store import Store

HEBREW = (
    "המועצה בדקה את קיר הסכר בקיץ.",
    "מי בדקה את קיר הסכר בקיץ?",
)
ARABIC = (
    "فحص مجلس مدينة كركوك جدار سد دربند في صيف.",
    "من فحص جدار سد دربند في صيف؟",
)


@pytest.mark.parametrize("isolated", [False, True], ids=["plain", "with direction marks"])
@pytest.mark.parametrize(("sentence", "question"), [HEBREW, ARABIC], ids=["Hebrew", "Arabic"])
async def test_from_the_file_to_the_quote(tmp_path: Path, sentence: str, question: str, *, isolated: bool) -> None:
    first, rest = sentence.split(" ", 1)
    held = f"\u202b{first} \u2067{rest}\u2069\u202c" if isolated else sentence
    (tmp_path / "dam.txt").write_text(f"{held}\n\nAn English paragraph on rye.\n", encoding="utf-8")
    with Store.open(tmp_path / "nonet.db") as store:
        add_documents(store, [tmp_path / "dam.txt"])
        searcher = StoreSearcher(store)
        (found, *_) = await searcher.search(question, 3)
        assert held in found.text
        said = f"\u00ab{sentence.rstrip('.')}\u00bb"
        runtime = ScriptedRuntime(lambda request: said if request.schema is None else '{"answer": "not stated"}')
        outcome = await RetrievalSpecialist().work(Assignment(question), FakeDesk(runtime, searcher=searcher))
    assert said in outcome.text
    assert [item.detail for item in outcome.evidence if item.kind == "quote" and item.passed is not True] == []
    assert any(rest.rstrip(".") in cited.quote for cited in outcome.citations)
