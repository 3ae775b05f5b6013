r"""Where the structure of a text says that it is best cut: between texts, pages, sections, functions and turns.

>>> [text[at:] for text in ["# A\nOne.\n# B\nTwo."] for at, _ in cuts_of(text)]
['# A\nOne.\n# B\nTwo.', '# B\nTwo.']
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from nonet.specialists.budget import Cut
from nonet.specialists.chunking import DEFINITION
from nonet.specialists.code_cuts import CODE_SUFFIXES
from nonet.specialists.material import Material
from nonet.specialists.speakers import turns_of

_HEADING = re.compile(
    r"^ {0,3}(?:(?P<marks>#{1,6})[ \t]+(?P<title>.+?)[ \t#]*|(?P<fence>`{3,}|~{3,}).*)$", re.MULTILINE
)
_LEVELS = 6
_BETWEEN_TEXTS, _PAGE, _SECTION = range(3)
_TURN = _SECTION + _LEVELS
"""How strong a cut is: the lower, the stronger."""
_INDENT = 4


def headings(text: str) -> list[tuple[int, int, str]]:
    """Markdown's headings: where each stands, its level from 1, and its words; a comment in a block of code is none."""
    found: list[tuple[int, int, str]] = []
    fence = ""
    for match in _HEADING.finditer(text):
        if marks := match["fence"]:
            fence = "" if fence and marks.startswith(fence) else fence or marks
        elif not fence:
            found.append((match.start(), len(match["marks"]), match["title"]))
    return found


def cuts_of(text: str, name: str = "") -> list[Cut]:
    """Where a text is best cut, in its order.

    Args:
        text: of a document.
        name: of its file: of source code the definitions count, and its comments are no headings.
    """
    found = [(match.end(), _PAGE) for match in re.finditer("\f", text)]
    if PurePath(name).suffix.lower() in CODE_SUFFIXES:
        found += _definitions(text)
    else:
        found += [(start, _SECTION + level - 1) for start, level, _ in headings(text)]
    return sorted([*found, *((start, _TURN) for start in turns_of(text))])


def without_turns(cuts: Sequence[Cut]) -> list[Cut]:
    """For parts that are ranked by what they say.

    Of 93 questions to meetings, parts along turns read more of what was marked for 20 and less for 17.
    """
    return [cut for cut in cuts if cut[1] != _TURN]


def _definitions(text: str) -> Iterator[Cut]:
    for match in DEFINITION.finditer(text):
        depth = len(match["indent"].expandtabs(_INDENT)) // _INDENT
        if depth < _LEVELS:
            yield match.start(), _SECTION + depth


def cuts_in(material: Material) -> Sequence[Cut]:
    """Where the text of all sources is best cut."""
    if len(material.sources) == 1:
        return cuts_of(material.text, material.sources[0].name)
    found: list[Cut] = []
    for source in material.sources:
        at = material.offset(source)
        heading = 0 if source.kind == "artifact" else len(source.name) + len(":\n\n")
        found.append((at - heading, _BETWEEN_TEXTS))
        found += [(at + start, level) for start, level in cuts_of(source.text, source.name)]
    return found
