"""What is between quotation marks, and what only looks so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonet.specialists.quote_marks import quotations


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('He wrote "War" and said \u201cthe river was wide\u201d.', ["War", "the river was wide"]),
        (
            "\u201eDie Mauer\u201c, \u00able mur\u00bb, \u00ab le mur \u00bb, \u00bbmuren\u00ab",
            ["Die Mauer", "le mur", "le mur", "muren"],
        ),
        (
            "\u300c\u58c1\u300d\u3068\u300e\u6a4b\u300f \u201dv\u00e4ggen\u201d \u201aHaus\u2018 \u2039mot\u203a",
            ["\u58c1", "\u6a4b", "v\u00e4ggen", "Haus", "mot"],
        ),
        ("\u2018the wall\u2019 is 'wall' now", ["the wall", "wall"]),
        ('\u4ed6\u8bf4"\u6211\u4eec\u8d70"\u4e86', ["\u6211\u4eec\u8d70"]),
        ('\uadf8\ub294 "\uc2a4\ub9c8\ud2b8"\ub294', ["\uc2a4\ub9c8\ud2b8"]),
        (
            '\u05e6\u05d4"\u05dc \u05d0\u05de\u05e8 "\u05e9\u05dc\u05d5\u05dd \u05dc\u05da" \u05d4\u05d9\u05d5\u05dd',
            ["\u05e9\u05dc\u05d5\u05dd \u05dc\u05da"],
        ),
        ("\u201cHe said \u2018no\u2019 to me\u201d", ["He said \u2018no\u2019 to me"]),
        ('"abc "def" ghi" x', ['abc "def" ghi']),
        ("\u201eA \u201cB\u201d C\u201c", ["A \u201cB\u201d C"]),
        ("'the dogs' bowl was red', he said", ["the dogs' bowl was red"]),
        ("'smart' cities of the dogs' bowl", ["smart"]),
        ('"the pipe is 5" wide" he said', ['the pipe is 5" wide']),
        ('"5" and "6"', ["5", "6"]),
    ],
)
def test_marks_of_many_languages(text: str, found: list[str]) -> None:
    assert [each.text for each in quotations(text)] == found


@pytest.mark.parametrize(
    "text",
    [
        "the dogs' bowl, the cats' basket, and don't they like 'em",
        "rock 'n' roll in the '90s' end; 'tis so, \u2018tis the dogs\u2019 own",
        "'Umar and his sons' house",
        "a 5\" pipe, a 6' wall, and one of 6'2\"",
        "5\u2033 by 6\u2032",
        'say `print("the wall")` or\n```python\nprint("the wall")\n```\n',
        'It is {"wall": "old", "doors": {"north": "red"}} in JSON.',
        '<a href="wall.html">the wall</a>',
        "'' and ' and \\'",
    ],
)
def test_apostrophes_inches_and_code_are_no_quotes(text: str) -> None:
    assert quotations(text) == []


def test_no_quotation_reaches_over_paragraphs_and_items() -> None:
    text = 'He said "one\n\ntwo" and\n- "three\n- four" five'
    assert [(each.text, each.closed) for each in quotations(text)] == [("one", False), ("three", False)]


def test_a_source_decides_where_apostrophes_leave_it_open() -> None:
    text = "the 'smart cities' plan"
    assert quotations(text) == []
    assert [each.text for each in quotations(text, lambda said: said == "smart cities")] == ["smart cities"]


@given(st.text(alphabet="ab5 \n-.'\"\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d`", max_size=60))
def test_any_text_has_them_in_order_and_apart(text: str) -> None:
    at = 0
    for each in quotations(text):
        assert at <= each.start < each.end <= len(text)
        assert each.text in text[each.start : each.end]
        at = each.end


def test_json_is_no_quotation_and_what_stands_between_two_objects_is() -> None:
    said = '{"a": 1} Then he said "the moon is made of cheese" and {x}.'
    assert [each.text for each in quotations(said)] == ["the moon is made of cheese"]
    assert quotations('["name", "foo", "bar"]') == []
    assert quotations('{"a": {"b": "c d e"}, "f": ["g", "h"]}') == []
    assert [each.text for each in quotations('["the moon is made of cheese"]')] == ["the moon is made of cheese"]
