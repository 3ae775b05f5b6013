"""Where tokens come from: the runtime protocol and what implements it.

Importing this package loads neither aiohttp, ollama nor xllamacpp; each runtime's module does.
"""

from nonet.runtimes.protocol import OnText, Runtime
from nonet.runtimes.types import (
    ChatRequest,
    ChatResponse,
    EmbedResponse,
    Finish,
    Message,
    ModelInfo,
    TokenCount,
    Trip,
    Usage,
)

__all__ = [
    "ChatRequest",
    "ChatResponse",
    "EmbedResponse",
    "Finish",
    "Message",
    "ModelInfo",
    "OnText",
    "Runtime",
    "TokenCount",
    "Trip",
    "Usage",
]
