"""How the fake Ollama server judges and answers a chat."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fakes.bare_http import go_json
from fakes.ollama_parts import FakeModel, Fault, recording
from nonet.runtimes.scripted_answers import split_tokens
from nonet.runtimes.types import ChatRequest, Message

_TYPES = {"object", "array", "string", "integer", "number", "boolean", "null"}
_NAME = re.compile(r"[\w.\-/]+(?::[\w.\-]+)?")
_PROMPT_TOKEN = re.compile(r"\w+|[^\w\s]+")
_GO_DURATION = re.compile(r"-?\d+(?:\.\d+)?(?:ns|us|ms|s|m|h)?")
_DEFAULT_CONTEXT = 4096
_DEFAULT_SYSTEM_TOKENS = 21
_REPEATS = 30
_NUMBERS = re.compile("920|256")


class RefusedError(Exception):
    """A response other than 200."""

    def __init__(self, status: int, body: str, content_type: str = "application/json; charset=utf-8") -> None:
        super().__init__(body)
        self.status = status
        self.body = body
        self.content_type = content_type
        self.chunked: bool | None = None


def refused_as(number: str, change: Callable[[str], str] = str, *, late: bool = False) -> RefusedError:
    """As recorded, its body changed; `late`: when the server had made ready to stream."""
    record = recording(number)
    refused = RefusedError(record.status, change(record.body), "application/json" if late else record.content_type)
    refused.chunked = late or None
    return refused


_RECORDED = {"queue_full": "73", "runner_died_at_once": "71b", "forbidden": "26", "overflow": "30b"}
_WORDS = {
    "not_found": (404, "model 'gone:1b' not found"),
    "error_500": (500, "something went wrong"),
    "out_of_memory": (500, "model requires more system memory (8.1 GiB) than is available (3.2 GiB)"),
}


def refusal_of(fault: Fault) -> RefusedError | None:
    """The refusal that a fault stands for, if it is one."""
    number = fault.data.decode() if fault.kind == "recorded" else _RECORDED.get(fault.kind)
    if number is not None:
        return refused_as(number)
    if fault.kind not in _WORDS:
        return None
    status, words = _WORDS[fault.kind]
    return RefusedError(status, fault.data.decode() or go_json({"error": words}))


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat that the server takes."""

    model: FakeModel
    body: Mapping[str, Any]
    messages: tuple[Message, ...]
    options: Mapping[str, Any]
    stream: bool

    @property
    def window(self) -> int:
        """num_ctx, no more than the model was made for."""
        return min(int(self.options.get("num_ctx", _DEFAULT_CONTEXT)), self.model.context)

    @property
    def runner(self) -> tuple[Any, ...]:
        """What reloads the model when it changes."""
        return (self.window, self.options.get("num_thread"), self.body.get("shift", True))

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the prompt in a ChatML template, at least a token a word."""
        words = sum(len(_PROMPT_TOKEN.findall(message.content)) for message in self.messages)
        preset = 0 if any(message.role == "system" for message in self.messages) else _DEFAULT_SYSTEM_TOKENS
        return words + 5 * len(self.messages) + 3 + preset

    def request(self) -> ChatRequest:
        """For the script."""
        schema = self.body.get("format")
        return ChatRequest(self.model.name, self.messages, schema if isinstance(schema, dict) and schema else None)


def decoded(raw: bytes) -> dict[str, Any]:
    """A body as JSON, or what the server says of it."""
    if not raw:
        raise refused_as("21b")
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise refused_as("21") from error
    if not isinstance(body, dict):
        raise refused_as("21c")
    return body


def find_model(models: Mapping[str, FakeModel], body: Mapping[str, Any], missing: str) -> FakeModel:
    """The model a body names; `missing` is the recording of its absence."""
    name = body.get("model", "")
    if not name:
        raise refused_as("22")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise refused_as("22c")
    model = models.get(name) or models.get(f"{name}:latest")
    if model is None:
        raise refused_as(missing, lambda text: text.replace("nope:1b", name))
    return model


def judged(models: Mapping[str, FakeModel], body: Mapping[str, Any]) -> Chat:
    """The chat a body asks for, or the refusal, in the order the server checks."""
    messages = body.get("messages") or []
    if not isinstance(messages, list):
        raise refused_as("21c")
    model = find_model(models, body, "20")
    options = body.get("options") or {}
    if not isinstance(options.get("temperature", 0.0), (int, float)):
        raise refused_as("24")
    keep_alive = body.get("keep_alive", 0)
    if isinstance(keep_alive, str) and not _GO_DURATION.fullmatch(keep_alive):
        raise refused_as("24c", lambda text: text.replace("soon", keep_alive))
    if "embedding" in model.capabilities:
        raise refused_as("15g", lambda text: text.replace("all-minilm:l6-v2", model.name))
    if body.get("think") and "thinking" not in model.capabilities:
        raise refused_as("11", lambda text: text.replace("qwen2.5-coder:0.5b", model.name))
    turns = tuple(Message(message["role"], message.get("content", "")) for message in messages)
    return Chat(model, body, turns, options, body.get("stream", True))


def check_format(chat: Chat) -> None:
    """What the server's grammar builder says of a schema."""
    schema = chat.body.get("format")
    if schema is None or schema in ("json", "", {}):
        return
    if not isinstance(schema, dict):
        raise refused_as("23", lambda text: text.replace("yaml", str(schema)))
    if not _known_types(schema):
        raise refused_as("23h" if chat.model.templated else "23b", late=chat.stream)


def _known_types(schema: object) -> bool:
    if isinstance(schema, list):
        return all(_known_types(part) for part in schema)
    if not isinstance(schema, dict):
        return True
    kind = schema.get("type")
    if isinstance(kind, str) and kind not in _TYPES:
        return False
    parts = [value for key, value in schema.items() if key not in ("type", "enum", "const", "required", "properties")]
    return all(_known_types(part) for part in (*parts, *(schema.get("properties") or {}).values()))


def read_prompt_tokens(chat: Chat) -> int:
    """How much of the prompt the model sees: all of it, a silent cut, or a refusal."""
    tokens, window = chat.prompt_tokens, chat.window
    if tokens < window:
        return tokens
    if chat.body.get("truncate") is False:
        counted = {"920": str(tokens), "256": str(window)}
        raise refused_as("30b", lambda text: _NUMBERS.sub(lambda n: counted[n[0]], text), late=chat.stream)
    if chat.body.get("shift") is False:
        raise refused_as("30c")
    return window // 2 + 2


@dataclass(frozen=True, slots=True)
class Generation:
    """What a model wrote."""

    pieces: Sequence[str]
    thinking: Sequence[str]
    reason: str
    """"stop", "length", or empty when the server gave up on a token that repeats."""
    prompt_tokens: int


def generate(chat: Chat, text: str, thinking: str, prompt_tokens: int) -> Generation:
    """Cut a text as the options say, and where a token repeats more than 30 times."""
    stops = chat.options.get("stop") or []
    ends = [place for stop in stops if (place := text.find(stop)) >= 0]
    pieces = split_tokens(text[: min(ends, default=len(text))])
    most = chat.options.get("num_predict", -1)
    room = max(chat.window - prompt_tokens, 1)
    most = room if most < 0 else min(most, room)
    before = split_tokens(thinking) if "thinking" in chat.model.capabilities and chat.body.get("think", True) else []
    run = 0
    for index, piece in enumerate(pieces[:most]):
        run = run + 1 if index and piece.strip() == pieces[index - 1].strip() else 1
        if run > _REPEATS:
            return Generation(pieces[:index], before, "", prompt_tokens)
    return Generation(pieces[:most], before, "length" if len(pieces) > most else "stop", prompt_tokens)


def line(model: str, content: str | None = None, thinking: str | None = None, **more: object) -> str:
    """One line of a stream, or a whole answer."""
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
    message: dict[str, Any] = {"role": "assistant", "content": content or ""}
    if thinking is not None:
        message["thinking"] = thinking
    return go_json({"model": model, "created_at": created, "message": message, "done": False, **more})


def ending(made: Generation, tokens: int, load_ns: int, eval_ns: int, prompt_ns: int = 1_000_000) -> dict[str, Any]:
    """What the last line adds."""
    return {
        "done": True,
        "done_reason": made.reason,
        "total_duration": load_ns + prompt_ns + eval_ns,
        "load_duration": load_ns or 780_000,
        "prompt_eval_count": made.prompt_tokens,
        "prompt_eval_duration": prompt_ns,
        "eval_count": tokens,
        "eval_duration": eval_ns,
    }
