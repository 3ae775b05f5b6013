"""What the scripted runtime says: scripts, an answer of its own where no script has one, and vectors of words.

Everything here is deterministic: the same request gives the same answer on every machine.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nonet.runtimes.types import ChatRequest

Responder = Callable[[ChatRequest], str]
Rule = tuple[str | re.Pattern[str], str | Sequence[str]]
"""A text or pattern to find in the last user message or the system message; the answer, or the answers in turn."""
Script = Responder | Sequence[Rule]

VECTOR_LENGTH = 384
_TOKEN = re.compile(r"\s*(?:\w+|[^\w\s])|\s+$")
_WORD = re.compile(r"\w+")
_SENTENCE = re.compile(r"[^.!?]*[.!?]+(?=\s|$)|[^.!?]+$")
_WANTS_CODE = re.compile(r"\b(?:python|function|def|code|implement)\b", re.IGNORECASE)
_SIGNATURE = re.compile(r"\bdef\s+([A-Za-z_]\w*)\s*\(([^()\n]*)\)")
_CALL = re.compile(r"[`\s]([a-z_]\w*)\(([^()\n]*)\)")
_NAMED = re.compile(
    r"\bfunction\s+(?:called\s+|named\s+)?`?([a-z_]\w*_\w+|(?<=`)\w+)`?|\b(?:called|named)\s+`?([A-Za-z_]\w*)`?"
)
_PARAGRAPHS = re.compile(r"\n\s*\n")
_SENTENCES_OF_AN_ANSWER = 2
_DEEPEST_SCHEMA = 24
_SAMPLES = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "email": "someone@example.org",
    "uri": "https://example.org/",
    "ipv4": "127.0.0.1",
}


def responder(script: Script | None) -> Responder:
    """One function of a script: a function, rules tried in order, or None. Where no rule fits, `default_answer`."""
    if script is None:
        return default_answer
    if callable(script):
        return script
    return _Rules(script)


class _Rules:
    """Rules with a memory of whose turn it is; the last answer of a list repeats."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [(find, [say] if isinstance(say, str) else list(say)) for find, say in rules]
        self._turns = [0] * len(self._rules)

    def __call__(self, request: ChatRequest) -> str:
        for index, (find, answers) in enumerate(self._rules):
            if answers and any(_found(find, text) for text in _asked(request)):
                turn = min(self._turns[index], len(answers) - 1)
                self._turns[index] += 1
                return answers[turn]
        return default_answer(request)


def _found(find: str | re.Pattern[str], text: str) -> bool:
    return find in text if isinstance(find, str) else find.search(text) is not None


def _asked(request: ChatRequest) -> list[str]:
    """The last user message, then the system messages."""
    users = [message.content for message in request.messages if message.role == "user"]
    return users[-1:] + [message.content for message in request.messages if message.role == "system"]


def default_answer(request: ChatRequest) -> str:
    """A sensible answer without a model.

    With a schema: the least instance that obeys it, its texts taken from the prompt. Where code is asked for: a Python
    function of the name and parameters the prompt gives. Else: the first sentences of the longest text given.
    """
    prompt = (_asked(request) or [""])[0]
    extract = _first_sentences(_material(prompt))
    if request.schema is not None:
        return json.dumps(minimal_instance(request.schema, text=extract), ensure_ascii=False)
    if _WANTS_CODE.search(prompt):
        return _function(prompt)
    return extract or "There is no text to answer from."


def _material(prompt: str) -> str:
    """The longest paragraph: an instruction is short, the text it is about is long."""
    return max(_PARAGRAPHS.split(prompt), key=len).strip()


def _first_sentences(text: str) -> str:
    sentences = [found.strip() for found in _SENTENCE.findall(" ".join(text.split()))]
    return " ".join([sentence for sentence in sentences if sentence][:_SENTENCES_OF_AN_ANSWER])


def _function(prompt: str) -> str:
    name, parameters = "answer", "value"
    if found := _SIGNATURE.search(prompt) or _CALL.search(prompt):
        name = found[1]
        plain = [part.split(":")[0].split("=")[0].strip() for part in found[2].split(",")]
        kept = [part for part in plain if part.isidentifier()]
        parameters = ", ".join(kept if len(kept) == len(plain) else [f"value{n}" for n in range(1, len(plain) + 1)])
        if not found[2].strip():
            parameters = ""
    elif found := _NAMED.search(prompt):
        name = found[1] or found[2]
    first = parameters.split(",")[0].strip() or "None"
    return f"```python\ndef {name}({parameters}):\n    return {first}\n```"


def minimal_instance(schema: Mapping[str, Any], *, text: str = "") -> Any:  # noqa: ANN401 - any JSON value
    """The least JSON value that obeys a schema, for the keywords that models are constrained by.

    Args:
        schema: local references, combinations, enumerations, bounds and formats are followed; patterns are not.
        text: what to fill strings with, cut or stretched to their bounds.
    """
    return _instance(schema, schema, text, _DEEPEST_SCHEMA)


def _instance(schema: Any, root: Mapping[str, Any], text: str, depth: int) -> Any:  # noqa: ANN401, PLR0911
    if not isinstance(schema, Mapping) or depth == 0:
        return None
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    if "$ref" in schema:
        return _instance(_referred(schema["$ref"], root), root, text, depth - 1)
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return _instance(_simplest(schema[key]), root, text, depth - 1)
    if schema.get("allOf"):
        return _instance(_merged(schema, root), root, text, depth - 1)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object":
        properties = schema.get("properties") or {}
        names = [name for name in properties if name in (schema.get("required") or ())]
        return {name: _instance(properties[name], root, text, depth - 1) for name in names}
    if kind == "array":
        return _array(schema, root, text, depth)
    return _scalar(kind, schema, text)


def _array(schema: Mapping[str, Any], root: Mapping[str, Any], text: str, depth: int) -> list[Any]:
    prefix = list(schema.get("prefixItems") or ())
    least = max(int(schema.get("minItems") or 0), len(prefix))
    kinds = prefix + [schema.get("items") or {}] * (least - len(prefix))
    return [_instance(kind, root, text, depth - 1) for kind in kinds]


def _scalar(kind: Any, schema: Mapping[str, Any], text: str) -> Any:  # noqa: ANN401
    if kind in ("integer", "number"):
        return _number(kind, schema)
    if kind == "boolean":
        return False
    if kind == "null":
        return None
    if schema.get("format") in _SAMPLES:
        return _SAMPLES[schema["format"]]
    least = int(schema.get("minLength") or 0)
    most = schema.get("maxLength")
    return text[: most if most is None else int(most)].ljust(least, ".")


def _number(kind: str, schema: Mapping[str, Any]) -> float:
    step = schema.get("multipleOf") or (1 if kind == "integer" else 0)
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    high, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    value: float = 0
    if low is not None and low > value:
        value = low
    if above is not None and above >= value:
        value = above + (step or 1)
    if high is not None and high < value:
        value = high
    if below is not None and below <= value:
        value = below - (step or 1)
    if step:
        value = math.ceil(value / step) * step
    return int(value) if kind == "integer" else value


def _simplest(choices: Sequence[Any]) -> Any:  # noqa: ANN401
    """Null where it is allowed: optional fields stay empty."""
    return next(
        (choice for choice in choices if isinstance(choice, Mapping) and choice.get("type") == "null"), choices[0]
    )


def _merged(schema: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {"properties": {}, "required": []}
    for part in ({**schema, "allOf": None}, *schema["allOf"]):
        whole = _referred(part["$ref"], root) if "$ref" in part else part
        for key, value in whole.items():
            if key == "properties":
                merged["properties"].update(value)
            elif key == "required":
                merged["required"] += value
            elif value is not None:
                merged[key] = value
    if not merged["properties"]:
        del merged["properties"], merged["required"]
    return merged


def _referred(reference: str, root: Mapping[str, Any]) -> Any:  # noqa: ANN401
    target: Any = root
    for step in reference.lstrip("#").strip("/").split("/"):
        if step:
            target = target.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(target, Mapping) else {}
    return target


def split_tokens(text: str) -> list[str]:
    """A text as its tokens: words and marks, each with the spaces before it. Joined, they are the text again."""
    return _TOKEN.findall(text)


def word_vector(text: str) -> tuple[float, ...]:
    """A unit vector of VECTOR_LENGTH: each word adds 1 or -1 at a place its hash names (the hashing trick).

    Texts that share words are near each other, as with a model of sentences, though meaning is not seen.
    """
    vector = [0.0] * VECTOR_LENGTH
    for word in _WORD.findall(text.lower()) or [text or "\0"]:
        digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        place = int.from_bytes(digest[:4], "big") % VECTOR_LENGTH
        vector[place] += 1.0 if digest[4] & 1 else -1.0
    length = math.hypot(*vector)
    if not length:  # words that cancel each other out
        vector[0] = length = 1.0
    return tuple(value / length for value in vector)
