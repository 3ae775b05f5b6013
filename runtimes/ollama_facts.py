"""What /api/show says of a model, reduced to what nonet needs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nonet.runtimes.ollama_errors import Call, not_understood
from nonet.runtimes.types import ModelInfo

_WEIGHTS = re.compile(r"^FROM .*?sha256[-:]([0-9a-f]{64})\s*$", re.MULTILINE)
_PRESET_LINE = re.compile(r'^(?:SYSTEM|MESSAGE \w+)\s+("""(?:.|\n)*?"""|.*)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model as the server describes it."""

    most_context_tokens: int
    """What the model was made for; 0 where unknown."""
    capabilities: frozenset[str]
    """Of "chat" and "embed"."""
    thinks: bool
    byte_level: bool
    """Its vocabulary is byte-level BPE."""
    preset: str
    """System prompt and messages that its Modelfile puts before every chat."""
    digest: str
    """SHA-256 of its weights, hexadecimal, or empty."""
    family: str
    parameters: str
    quantization: str
    kv_bytes_per_token: int
    """What one token of context takes in its cache; 0 where the server does not say."""

    def info(self, name: str, *, window: int, size_bytes: int, loaded: bool, version: str = "") -> ModelInfo:
        """As the runtime protocol words it."""
        return ModelInfo(
            name=name,
            context_tokens=window,
            size_bytes=size_bytes,
            capabilities=self.capabilities,
            loaded=loaded,
            version=version,
            digest=self.digest,
            family=self.family,
            parameters=self.parameters,
            quantization=self.quantization,
            most_context_tokens=self.most_context_tokens,
            kv_bytes_per_token=self.kv_bytes_per_token,
            thinks=self.thinks,
        )


def read_facts(call: Call, body: bytes) -> ModelFacts:
    """Read the answer of /api/show. Raises IncompleteAnswerError when it is none."""
    show = json_object(call, body)
    details = _mapping(show, "details")
    about = _mapping(show, "model_info")
    modelfile = _text(show, "modelfile")
    family = _text(about, "general.architecture") or _text(details, "family")
    named = show.get("capabilities")
    capabilities = {str(name) for name in named} if isinstance(named, list) else {"completion"}
    weights = _WEIGHTS.search(modelfile)
    return ModelFacts(
        most_context_tokens=_whole(about.get(f"{family}.context_length")),
        capabilities=_capabilities(capabilities, family),
        thinks="thinking" in capabilities,
        byte_level=about.get("tokenizer.ggml.model") == "gpt2",
        preset="\n".join(found.strip('"') for found in _PRESET_LINE.findall(modelfile)),
        digest=weights[1] if weights else "",
        family=family,
        parameters=_text(details, "parameter_size"),
        quantization=_text(details, "quantization_level"),
        kv_bytes_per_token=_cache_bytes(about, family),
    )


def _cache_bytes(about: Mapping[str, Any], family: str) -> int:
    """Keys and values of 16 bits, of every layer: what llama.cpp keeps of a token."""

    def number(key: str) -> int:
        return _whole(about.get(f"{family}.{key}"))

    heads = number("attention.head_count")
    size = number("embedding_length") // heads if heads else 0
    keys, values = number("attention.key_length") or size, number("attention.value_length") or size
    return number("block_count") * (number("attention.head_count_kv") or heads) * (keys + values) * 2


def json_object(call: Call, body: bytes) -> dict[str, Any]:
    """The object a body holds. Raises IncompleteAnswerError."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise not_understood(call, f"not JSON ({body[:60]!r})") from error
    if not isinstance(value, dict):
        raise not_understood(call, f"no JSON object ({body[:60]!r})")
    return value


def _capabilities(named: set[str], family: str) -> frozenset[str]:
    """Encoders are listed with "completion" too by some versions, though a chat with one is refused."""
    if "bert" in family:
        return frozenset({"embed"})
    return frozenset({"embed"} if "embedding" in named else {"chat"})


def _mapping(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _text(parent: Mapping[str, Any], key: str) -> str:
    value = parent.get(key)
    return value if isinstance(value, str) else ""


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
