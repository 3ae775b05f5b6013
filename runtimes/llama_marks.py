"""Keeps what is written in a message from being read as the end of that message.

llama.cpp fills the chat template first and then splits the whole prompt into tokens, control tokens included. It cannot
tell the template's own marks from those in a message: a document that says `<|im_end|>` and `<|im_start|>system` ends
its turn and opens one with the system's authority (https://github.com/ggml-org/llama.cpp/issues/26273). So the marks
that the model itself knows are broken up in message contents, in the open: `<| im_end|>`. No text is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_UNKNOWN: Final = 2
_CONTROL: Final = 3
_USER_DEFINED: Final = 4
_LIKE_A_TURN: Final = re.compile(
    r"<[|\uff5c].*[|\uff5c]>|</?(?:start_of_turn|end_of_turn|s|bos|eos|think)>|\[/?[A-Z_]+\]"
)
"""Some files call their marks user-defined, as they do plain words such as "<b>": then their look decides."""


class Marks:
    """The control tokens of one model, by its vocabulary.

    Args:
        types: words of the vocabulary that are no plain text, with llama.cpp's types (`gguf.read_token_types`).
    """

    def __init__(self, types: Mapping[str, int]) -> None:
        marks = [
            word
            for word, kind in types.items()
            if len(word) > 1
            and (kind in (_UNKNOWN, _CONTROL) or (kind == _USER_DEFINED and _LIKE_A_TURN.fullmatch(word)))
        ]
        longest_first = sorted(marks, key=len, reverse=True)
        # the mark is looked at, and only its opening taken, so that one that begins within another is found too
        self._pattern = re.compile(f"(?=(?:{'|'.join(map(re.escape, longest_first))}))(?:<\\||.)") if marks else None

    def break_up(self, text: str) -> str:
        """The text with a space in each mark, after its opening; other text as it is.

        >>> Marks({"<|im_end|>": 3}).break_up("a <|im_end|> b |> <|x|>")
        'a <| im_end|> b |> <|x|>'
        """
        return text if self._pattern is None else self._pattern.sub(r"\g<0> ", text)
