"""The kept vectors of examples: computed once, and again whenever the file is not what was left."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from nonet.agents.router import Router
from nonet.graphs.example_vectors import ExampleVectors, Vectors
from nonet.runtimes.scripted_answers import word_vector

EXAMPLES = {"cook": ("boil an egg", "bake bread"), "drive": ("park the car", "fill the tank")}
TEXTS = [text for each in EXAMPLES.values() for text in each]


class Embedder:
    """Counts what it embeds; each vector is of unit length."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def __call__(self, texts: Sequence[str]) -> Vectors | None:
        self.seen += texts
        return tuple(tuple(word_vector(text)) for text in texts)


def kept(folder: Path, embed: Embedder, *, digest: str = "d1", texts: Sequence[str] = TEXTS) -> ExampleVectors:
    return ExampleVectors(embed, texts, model="m", digest=digest, folder=folder)


async def test_the_second_process_embeds_only_the_request(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    first, second = Embedder(), Embedder()
    routed = [
        await Router(EXAMPLES, kept(folder, embed)).route("park near the bread shop") for embed in (first, second)
    ]
    assert sorted(first.seen) == sorted([*TEXTS, "park near the bread shop"])
    assert second.seen == ["park near the bread shop"]
    assert routed[0].specialist == routed[1].specialist
    assert routed[0].scores == routed[1].scores


async def test_other_weights_or_examples_are_another_file(tmp_path: Path) -> None:
    await kept(tmp_path, Embedder())(TEXTS)
    other = Embedder()
    await kept(tmp_path, other, digest="d2")(TEXTS)
    assert sorted(other.seen) == sorted(TEXTS)
    await kept(tmp_path, other, texts=[*TEXTS, "new"])(["new"])
    assert len(other.seen) == 2 * len(TEXTS) + 1


@pytest.mark.parametrize("garbage", [b"", b"{", b"\xff", b"{}", b"[]", b"[1]", b'["AA"]', b'["", "", "", ""]', b"null"])
async def test_a_damaged_file_is_replaced(tmp_path: Path, garbage: bytes) -> None:
    before = await kept(tmp_path, Embedder())(TEXTS)
    (path,) = tmp_path.iterdir()  # noqa: ASYNC240 - one file
    path.write_bytes(garbage)
    again, third = Embedder(), Embedder()
    await kept(tmp_path, again)(TEXTS)
    assert sorted(again.seen) == sorted(TEXTS)
    after = await kept(tmp_path, third)(TEXTS)
    assert third.seen == []
    assert before is not None
    assert after is not None
    assert all(one == pytest.approx(other, abs=1e-3) for one, other in zip(before, after, strict=True))


async def test_a_folder_that_cannot_be_made_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    embed = Embedder()
    assert await kept(tmp_path / "file" / "cache", embed)(TEXTS) is not None
    assert await kept(tmp_path / "file" / "cache", embed)(TEXTS) is not None
    assert len(embed.seen) == 2 * len(TEXTS)
