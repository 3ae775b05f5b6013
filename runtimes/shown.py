"""What a listener was shown of an answer, so that an answer that begins again elsewhere is not shown twice."""

from __future__ import annotations

from nonet.errors import IncompleteAnswerError
from nonet.runtimes.protocol import OnText


class Shown:
    """Passes the pieces of an answer on to a listener; after `begin` it leaves out what was shown before.

    Raises:
        IncompleteAnswerError: the second answer does not begin as the first one did.
    """

    __slots__ = ("_again", "_listener", "_shown")

    def __init__(self, listener: OnText) -> None:
        self._listener = listener
        self._shown = ""
        self._again = 0

    def begin(self) -> None:
        """The answer starts from its beginning."""
        self._again = 0

    def __call__(self, text: str) -> None:
        """A piece of the answer."""
        known = self._shown[self._again : self._again + len(text)]
        if not text.startswith(known):
            raise IncompleteAnswerError(
                "The server failed in the middle of an answer that was being shown, and another server's answer is "
                "another one.",
                partial=self._shown,
                next_step="Ask again.",
            )
        self._again += len(text)
        fresh = text[len(known) :]
        if fresh:
            self._shown += fresh
            self._listener(fresh)
