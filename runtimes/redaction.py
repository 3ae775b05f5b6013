"""What must not leave the machine: e-mail addresses, phone and account numbers, keys, addresses and paths of machines.

Own rules and no library: those that know more (names, places) bring a language model of half a gigabyte, and none
undoes what it did. Here each value becomes a placeholder that stands for it throughout one call, and the answer gets
the values back, so that a quote is verbatim again. The rules rather take too much than too little. They know no names
of people: who wants those kept must not configure a remote model.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from nonet.runtimes.types import Message

_NAMES_OF_KEYS = r"(?:api[_-]?key|access[_-]?key|secret|token|passwor[dt]|passwd|pwd|passphrase|credential)s?"
_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:sk|pk|rk|ghp|gho|ghs|ghr|github_pat|glpat|xox[abprs]|hf|npm|pypi|AIza|AKIA|ASIA|ya29)[-_A-Za-z0-9.]{12,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|(?<=://)[^\s/:@]+:[^\s/@]+(?=@)"
    r"|(?<![A-Za-z0-9+/_-])(?=[A-Za-z0-9+/_-]*\d)(?=[A-Za-z0-9+/_-]*[A-Za-z])[A-Za-z0-9+/_-]{32,}={0,2}",
    re.DOTALL,
)
_NAMED_KEY = re.compile(rf"(?i:\b[\w-]*{_NAMES_OF_KEYS}\b[\"']?\s*(?:[:=]|\bis\b)\s*[\"']?)([^\s\"',;]{{4,}})")
_BEARER = re.compile(r"(?i:\bbearer\s+)([A-Za-z0-9._~+/-]{8,}=*)")
_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])")
_PHONE = re.compile(
    r"(?<![\w.+])(?:\+\d{1,3}[ ./-]?(?:\(\d{1,4}\)[ ./-]?)?\d(?:[ ./-]?\d){5,12}"
    r"|\(?0\d{1,5}\)?[ /-]\d(?:[ ./-]?\d){4,10}"
    r"|\(\d{3}\) ?\d{3}[ .-]\d{4}|\d{3}[.-]\d{3}[.-]\d{4})(?![\w])"
)
_ADDRESS = re.compile(
    r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){4,7}[0-9a-fA-F]{1,4}"
)
_PATH = re.compile(
    r"(?<![\w/.])(?:~|/(?:home|Users|root|mnt|media|var|etc|opt|srv|tmp|private|data|work))/[^\s\"'<>|*?:,;()\[\]]+"
    r"|\b[A-Za-z]:\\[^\s\"'<>|*?:,;()\[\]]+"
    r"|\\\\[\w.-]+\\[^\s\"'<>|*?:,;()\[\]]+"
)
_PLACEHOLDER = re.compile(r"\[[A-Z]+_\d+\]")


def _is_iban(text: str) -> bool:
    """ISO 13616: moved and spelled in figures, it leaves 1 when divided by 97."""
    plain = re.sub(r"[ -]", "", text)
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def _is_card(text: str) -> bool:
    """ISO/IEC 7812: Luhn's sum."""
    figures = [int(figure) for figure in reversed(re.sub(r"\D", "", text))]
    doubled = (figure * 2 - 9 if figure > 4 else figure * 2 for figure in figures[1::2])  # noqa: PLR2004 - 2 * 5 = 10
    return (sum(figures[::2]) + sum(doubled)) % 10 == 0


_RULES: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("KEY", _KEY, bool),
    ("KEY", _NAMED_KEY, bool),
    ("KEY", _BEARER, bool),
    ("EMAIL", _EMAIL, bool),
    ("ACCOUNT", _IBAN, _is_iban),
    ("CARD", _CARD, _is_card),
    ("ADDRESS", _ADDRESS, bool),
    ("PHONE", _PHONE, bool),
    ("PATH", _PATH, bool),
)
_WORDS = {
    "KEY": "key",
    "EMAIL": "e-mail address",
    "ACCOUNT": "account number",
    "CARD": "card number",
    "ADDRESS": "network address",
    "PHONE": "phone number",
    "PATH": "path",
}


@dataclass(slots=True)
class Redactor:
    """Takes values out of the messages of one call, and puts them back into its answer."""

    _values: dict[str, str] = field(default_factory=dict)
    """Placeholder -> value."""
    _counts: Counter[str] = field(default_factory=Counter)
    _taken: set[str] = field(default_factory=set)
    """Placeholders that the text has by itself."""

    def messages(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """The messages as they may leave."""
        for message in messages:
            self._taken.update(_PLACEHOLDER.findall(message.content))
        return tuple(Message(message.role, self._redacted(message.content)) for message in messages)

    def restored(self, answer: str, *, is_json: bool = False) -> str:
        """The answer with the values in the place of their placeholders; in JSON, within its strings."""
        if is_json:
            return json.dumps(self._walked(json.loads(answer)), ensure_ascii=False)
        return _PLACEHOLDER.sub(lambda match: self._values.get(match.group(), match.group()), answer)

    def told(self) -> str:
        """What was taken out, in words."""
        if not self._counts:
            return "nothing had to be taken out"
        parts = [f"{count} {_WORDS[kind]}{_plural(kind, count)}" for kind, count in sorted(self._counts.items())]
        return f"{', '.join(parts)} taken out"

    def _walked(self, value: Any) -> Any:  # noqa: ANN401  any JSON
        if isinstance(value, str):
            return self.restored(value)
        if isinstance(value, list):
            return [self._walked(item) for item in value]
        return {key: self._walked(item) for key, item in value.items()} if isinstance(value, dict) else value

    def _redacted(self, text: str) -> str:
        pieces, at = [], 0
        for start, end, kind in _found(text):
            pieces += [text[at:start], self._placeholder(kind, text[start:end])]
            at = end
        return "".join([*pieces, text[at:]])

    def _placeholder(self, kind: str, value: str) -> str:
        for name, known in self._values.items():
            if known == value:
                return name
        self._counts[kind] += 1
        number = self._counts[kind]
        while (name := f"[{kind}_{number}]") in self._taken or name in self._values:
            number += 1
        self._values[name] = value
        return name


def _plural(kind: str, count: int) -> str:
    return "" if count == 1 else "es" if _WORDS[kind].endswith("s") else "s"


def _found(text: str) -> Iterator[tuple[int, int, str]]:
    """Spans to take out, in order, none within another; of those that overlap the first, then the longest."""
    spans = [
        (*match.span(match.lastindex or 0), kind)
        for kind, pattern, is_one in _RULES
        for match in pattern.finditer(text)
        if is_one(match.group())
    ]
    reach = 0
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= reach:
            yield start, end, kind
            reach = end
