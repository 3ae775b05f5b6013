from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonet.specialists import Passage
from nonet.specialists.quotes import Match, check_quote, holds, quotes_in

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
    start = data.draw(st.integers(0, len(TEXT) - 1))
    end = data.draw(st.integers(start + 1, len(TEXT)))
    quote = TEXT[start:end].strip()
    check = check_quote(quote, [Passage("d", 0, 1.0, 0, len(TEXT), TEXT)])
    assert check.match in {Match.VERBATIM, Match.ABSENT}
    assert check.citation is None or check.citation.quote == quote


def test_quotes_of_an_answer() -> None:
    assert quotes_in('He wrote "War" and said "the river was far too wide to cross".') == [
        "the river was far too wide to cross"
    ]
    assert quotes_in("It says \u201cno one may enter the hall\u201d there.") == ["no one may enter the hall"]


@pytest.mark.parametrize(
    ("quote", "held"),
    [
        ("the cafe\u0301 opened in May", "the café opened in May"),
        ("the ﬁrst ofﬁce was small", "the first office was small"),
        ("a hy\u00adphen\u00adated word here", "a hyphenated word here"),
        ("\uff11\uff12 metres of rope", "12 metres of rope"),
        ("wait … and see what comes", "wait ... and see what comes"),
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
