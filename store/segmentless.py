"""Scripts that put no spaces between words (Chinese, Japanese, Korean, Thai, ...), searched by pairs of characters.

FTS5's tokenizer takes a run of such characters for one word, so that no part of it is ever found; its trigram
tokenizer needs three characters where most Chinese words have two. Pairs find every word and part of a word.
"""

from __future__ import annotations

import re
import unicodedata

_RUN = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f]+"
)


def pairs(text: str) -> str:
    """The pairs of every run, apart by spaces; "" where the text has no such run. A lone character stands alone."""
    found: list[str] = []
    for match in _RUN.finditer(unicodedata.normalize("NFKC", text)):
        run = match.group()
        found.extend(run[at : at + 2] for at in range(max(1, len(run) - 1)))
    return " ".join(found)


def pair_expression(query: str) -> str:
    """An FTS5 expression for the pairs of a query, "" for none. A lone character finds every pair it begins."""
    return " OR ".join(f'"{pair}"' + ("*" if len(pair) == 1 else "") for pair in dict.fromkeys(pairs(query).split()))
