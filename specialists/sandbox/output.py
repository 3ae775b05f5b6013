"""A stream of which only the first and the last bytes are kept."""

from __future__ import annotations


class KeptOutput:
    """The first and the last bytes of a stream, however long it is."""

    def __init__(self, limit_bytes: int) -> None:
        self._half = limit_bytes // 2
        self._head = bytearray()
        self._tail = bytearray()
        self.seen = 0
        """Bytes that came."""

    def add(self, piece: bytes) -> None:
        """The next bytes."""
        self.seen += len(piece)
        room = self._half - len(self._head)
        self._head += piece[:room]
        self._tail += piece[room:]
        del self._tail[: -self._half]

    @property
    def cut(self) -> bool:
        """Whether bytes were dropped from the middle."""
        return self.seen > len(self._head) + len(self._tail)

    def text(self) -> str:
        """As text, with a line for what was dropped."""
        dropped = self.seen - len(self._head) - len(self._tail)
        middle = f"\n[{dropped} bytes left out]\n".encode() if dropped else b""
        return (bytes(self._head) + middle + bytes(self._tail)).decode(errors="replace")
