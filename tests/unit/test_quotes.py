from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonet.specialists import Passage
from nonet.specialists.quotes import Match, check_quote, holds

TEXT = (
    "Intro.\n\nThe bridge \u2014 built in 1932 \u2014 was the \u201clongest\u201d of its\ntime. "
    "It closed in 1990 for repairs."
)
START = 8
PASSAGES = [
    Passage("other.md", 0, 1.0, 0, 22, "Nothing of the matter."),
    Passage("bridge.md", 0, 2.0, START, len(TEXT), TEXT[START:]),
]


def test_verbatim() -> None:
    check = check_quote("It closed in 1990", PASSAGES)
    assert check.match is Match.VERBATIM
    assert check.citation is not None
    assert check.citation.document == "bridge.md"
    assert holds(check.citation, TEXT)


def test_alike_gets_the_documents_form() -> None:
    check = check_quote('the bridge - built in 1932 - was the "Longest" of its time', PASSAGES)
    assert check.match is Match.ALIKE
    assert check.citation is not None
    assert check.citation.quote == TEXT[START : TEXT.index(". It")]
    assert holds(check.citation, TEXT)


def test_a_slip_is_replaced_by_the_sentence_meant() -> None:
    check = check_quote("It was closed in 1990 for some repairs", PASSAGES)
    assert check.match is Match.NEAREST
    assert check.citation is not None
    assert check.citation.quote == "It closed in 1990 for repairs."
    assert holds(check.citation, TEXT)


def test_an_invention_is_absent() -> None:
    for quote in ("The tunnel opened in 2001 with a feast", "", "???", "bridge of sighs"):
        check = check_quote(quote, PASSAGES)
        assert (check.match, check.citation) == (Match.ABSENT, None)


@given(st.text(max_size=200), st.text(max_size=400), st.integers(0, 50))
def test_whatever_comes_back_is_verbatim(quote: str, text: str, offset: int) -> None:
    stored = "x" * offset + text
    check = check_quote(quote, [Passage("d", 0, 1.0, offset, len(stored), text)])
    assert (check.citation is None) == (check.match is Match.ABSENT)
    assert check.citation is None or holds(check.citation, stored)


@given(st.data())
def test_any_piece_of_a_text_is_found(data: st.DataObject) -> None:
    edges = [at for at in range(len(TEXT) + 1) if not TEXT[max(0, at - 1) : at + 1].isalnum() or at in {0, len(TEXT)}]
    start = data.draw(st.sampled_from(edges[:-1]))
    end = data.draw(st.sampled_from([at for at in edges if at > start]))
    quote = TEXT[start:end].strip()
    check = check_quote(quote, [Passage("d", 0, 1.0, 0, len(TEXT), TEXT)])
    assert check.match in {Match.VERBATIM, Match.ABSENT}
    assert check.citation is None or check.citation.quote == quote


@pytest.mark.parametrize(
    ("quote", "held"),
    [
        ("the cafe\u0301 opened in May", "the café opened in May"),
        ("the ﬁrst ofﬁce was small", "the first office was small"),
        ("a hy\u00adphen\u00adated word here", "a hyphenated word here"),
        ("\uff11\uff12 metres of rope", "12 metres of rope"),
        ("wait … and see what comes", "wait ... and see what comes"),
        ("he said \u2018no one may enter\u2019 and left", 'he said "no one may enter" and left'),
        ("the **new** pump in `bay 3` hums", "the new pump in bay 3 hums"),
        (
            "قال \u2067مجلس\u2069 إن الجدار آمن",
            "قال مجلس إن الجدار آمن",
        ),
        (
            "המועצה \u202bבדקה\u202c את הקיר בקיץ",
            "המועצה \u061cבדקה את הקיר בקיץ",
        ),
        (
            "\ufee3\ufeae\ufea3\ufe92\ufe8e بالجميع في المدينة",
            "مرحبا بالجميع في المدينة",
        ),
        (
            "شد\u0651\u064eد على الأمر كله",
            "شد\u064e\u0651د على الأمر كله",
        ),
    ],
)
def test_the_same_words_in_other_characters_are_found(quote: str, held: str) -> None:
    for asked, text in ((quote, held), (held, quote)):
        passage = Passage("d.md", 3, 1.0, 10, 10 + len(text) + 8, f"Before. {text}", page=2)
        check = check_quote(asked, [passage])
        assert check.match is Match.ALIKE
        assert check.citation is not None
        assert check.citation.quote == text
        assert (check.citation.chunk, check.citation.page) == (3, 2)


@pytest.mark.parametrize(
    ("quote", "held"),
    [
        ("There was not", "There was nothing in it."),
        ("the wall", "the walls of the town"),
        ("art", "a smart city"),
        ("cost 12", "Repairs cost 12,500 crowns."),
        ("500 crowns", "Repairs cost 12,500 crowns."),
        ("the cafe", "the cafe\u0301 opened"),
        ("2 3", "it has 2*3 rooms"),
        ("a 5' pipe", 'a 5" pipe'),
    ],
)
def test_half_a_word_or_number_is_another(quote: str, held: str) -> None:
    assert check_quote(quote, [Passage("d.md", 0, 1.0, 0, len(held), held)]).match is Match.ABSENT


def test_where_words_have_no_spaces_any_piece_is_found() -> None:
    held = "\u58c1\u306f\u5b89\u5168\u3067\u3059\u3002"
    assert check_quote("\u5b89\u5168", [Passage("d.md", 0, 1.0, 0, len(held), held)]).match is Match.VERBATIM
