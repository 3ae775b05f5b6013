"""What `nonet docs add` does about documents whose files are no longer what was read of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nonet.cli import main

Docs = Callable[..., Any]
NOTES = {
    "a.txt": "The heron waits.",
    "b.txt": "The otter swims.",
    "c.txt": "The badger digs.",
    "d.txt": "The owl sees.",
}


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Docs:
    """Runs `nonet docs` where four notes were added from the folder `notes`; gives what it printed as JSON."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NONET_DB", "here.db")
    monkeypatch.setenv("NONET_RUNTIME", "scripted")
    (tmp_path / "notes").mkdir()
    for name, text in NOTES.items():
        write(name, text)

    def run(*words: str, status: int = 0) -> Any:
        assert main(["docs", *words, "--json"]) == status
        return json.loads(capsys.readouterr().out)

    run("add", "notes", "--no-embed")
    return run


def write(name: str, text: str | bytes, *, seconds_ago: float = 3600) -> None:
    """A note that settled long ago, so that it is not read again for being fresh."""
    path = Path("notes", name)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(path, (time.time() - seconds_ago,) * 2)


def found(docs: Docs, query: str) -> list[str]:
    return [hit["document"] for hit in docs("search", query, "--words")["results"]]


def test_what_became_a_copy_is_told_and_its_old_text_is_gone(docs: Docs) -> None:
    write("a.txt", NOTES["b.txt"], seconds_ago=60)
    told = docs("add", "notes", "--no-embed")
    assert told["duplicates"] == [{"path": "notes/a.txt", "document": "b.txt"}]
    assert told["removed"] == ["a.txt"]
    assert (found(docs, "heron"), found(docs, "otter")) == ([], ["b.txt"])


def test_two_files_that_trade_places_are_both_kept(docs: Docs) -> None:
    write("a.txt", NOTES["b.txt"], seconds_ago=60)
    write("b.txt", NOTES["a.txt"], seconds_ago=60)
    assert docs("add", "notes", "--no-embed")["replaced"] == ["a.txt", "b.txt"]
    assert (found(docs, "heron"), found(docs, "otter")) == (["b.txt"], ["a.txt"])


def test_what_has_the_old_bytes_of_a_changed_file_is_no_copy_of_it(docs: Docs) -> None:
    write("b.txt", "The swan sleeps.", seconds_ago=60)
    write("z.txt", NOTES["b.txt"])
    told = docs("add", "notes", "--no-embed")
    assert (told["replaced"], told["added"], told["duplicates"]) == (["b.txt"], ["z.txt"], [])
    assert (found(docs, "otter"), found(docs, "swan")) == (["z.txt"], ["b.txt"])


@pytest.mark.parametrize("now", [b"", b"\x00\x01" * 50, b"%PDF-1.4 torn"])
def test_what_cannot_be_read_any_more_is_named_and_its_old_text_is_gone(docs: Docs, now: bytes) -> None:
    write("c.txt", now, seconds_ago=60)
    told = docs("add", "notes", "--no-embed")
    assert [skipped["path"] for skipped in told["skipped"]] == ["notes/c.txt"]
    assert (told["removed"], found(docs, "badger")) == (["c.txt"], [])
    write("c.txt", NOTES["c.txt"])
    assert docs("add", "notes", "--no-embed")["added"] == ["c.txt"]


def test_named_itself_it_fails_and_its_old_text_is_gone(docs: Docs) -> None:
    write("c.txt", b"", seconds_ago=60)
    told = docs("add", "notes/c.txt", "notes/d.txt", "--no-embed", status=1)
    assert [failed["path"] for failed in told["failed"]] == ["notes/c.txt"]
    assert (told["removed"], found(docs, "badger")) == (["c.txt"], [])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_any_more_is_gone_however_old_it_is(docs: Docs) -> None:
    Path("notes", "c.txt").chmod(0)
    told = docs("add", "notes", "--no-embed")
    assert (told["removed"], found(docs, "badger")) == (["c.txt"], [])


def test_what_is_ignored_now_is_told_and_gone_with_all_below_it(docs: Docs) -> None:
    Path("notes", "deep").mkdir()
    write("deep/e.txt", "The newt hides.")
    docs("add", "notes", "--no-embed")
    Path("notes", ".gitignore").write_text("d.txt\ndeep/\n")
    told = docs("add", "notes", "--no-embed")
    reasons = {skipped["path"]: skipped["reason"] for skipped in told["skipped"]}
    assert reasons["notes/d.txt"] == reasons["notes/deep"] == "ignored by .gitignore"
    assert (sorted(told["removed"]), found(docs, "owl newt")) == (["d.txt", "deep/e.txt"], [])
    assert docs("add", "notes", "notes/d.txt", "--no-embed")["added"] == ["d.txt"], "named itself it is in again"


@pytest.mark.parametrize("with_others", [True, False])
def test_a_named_folder_that_is_missing_fails_and_keeps_its_documents(docs: Docs, *, with_others: bool) -> None:
    Path("notes").rename("elsewhere")
    Path("other").mkdir()
    Path("other", "a.txt").write_text("The crane dances.")
    told = docs("add", "notes", *(["other"] if with_others else []), "--no-embed", status=1)
    [failed] = told["failed"]
    assert (failed["path"], failed["reason"]) == ("notes", "notes does not exist.")
    assert "Its 4 documents are kept" in failed["next_step"]
    assert "nonet docs remove a.txt b.txt c.txt d.txt" in failed["next_step"]
    assert (told["removed"], told["replaced"], found(docs, "heron")) == ([], [], ["a.txt"])
    assert told["added"] == (["other/a.txt"] if with_others else []), "a name that is kept is not taken over"
    Path("elsewhere").rename("notes")
    assert docs("add", "notes", "--no-embed")["unchanged"] == sorted(NOTES)


def test_a_named_file_that_is_missing_fails_and_keeps_its_document(docs: Docs) -> None:
    Path("notes", "d.txt").unlink()
    told = docs("add", "notes/d.txt", "notes", "--no-embed", status=1)
    [failed] = told["failed"]
    assert failed["next_step"].startswith("Its document is kept.")
    assert (told["removed"], found(docs, "owl")) == ([], ["d.txt"])
    assert docs("add", "notes", "--no-embed")["removed"] == ["d.txt"], "gone from a folder that is there"


def test_what_never_stops_changing_is_named_and_its_old_text_is_gone(docs: Docs) -> None:
    write("c.txt", b"")
    os.truncate("notes/c.txt", 40_000_000)  # takes no room on the disk, and a while to read
    writer = subprocess.Popen([sys.executable, "-ISc", "import os\nwhile True: os.utime('notes/c.txt')"])
    try:
        for _ in range(200):  # a moment without a change is possible on a busy machine: then it is no text
            told = docs("add", "notes", "notes/a.txt", "--no-embed")
            [reason] = [each["reason"] for each in told["skipped"] if each["path"] == "notes/c.txt"]
            if reason == "changed while it was read":
                break
            assert "is not text" in reason
    finally:
        writer.kill()
        writer.wait()
    assert reason == "changed while it was read"
    assert (told["unchanged"], found(docs, "badger")) == (["a.txt", "b.txt", "d.txt"], [])


def test_what_cannot_be_read_again_but_has_the_same_bytes_stays(docs: Docs, monkeypatch: pytest.MonkeyPatch) -> None:
    page = b"<p>The stork nests.</p>"
    write("page.html", page)
    docs("add", "notes", "--no-embed")
    write("page.html", page, seconds_ago=60)
    monkeypatch.setenv("PYTHONPATH", str(broken_parsers()))
    told = docs("add", "notes", "--no-embed")
    assert ("page.html" in told["unchanged"], found(docs, "stork")) == (True, ["page.html"])
    assert [note["note"] for note in told["notes"]] == ["kept as it was read before, of the same bytes"]


def broken_parsers() -> Path:
    """Modules that hide an installed parser from a process that is started now."""
    (hiding := Path("hiding").resolve()).mkdir()
    (hiding / "html_to_markdown.py").write_text("raise ImportError('hidden')\n")
    return hiding


def test_a_run_of_documents_that_are_no_more_does_not_read_all_others(
    docs: Docs, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("other.txt").write_text("The crane dances.")
    docs("add", "other.txt", "--no-embed")
    for name in NOTES:
        write(name, b"", seconds_ago=60)
    assert main(["run", "Look up what the crane does.", "--docs", "notes"]) == 2
    assert "notes/a.txt: is empty" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("run", "Look up the owl.", "--docs"), ("ask", "retrieval", "Owl?", "--input")])
def test_what_is_attached_to_a_run_removes_nothing(
    docs: Docs, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    Path("a.txt").write_text("The crane dances.")
    Path("notes").rename("elsewhere")
    assert main([*words, "notes"]) == 2
    assert "Its 4 documents are kept" in capsys.readouterr().err
    main([*words, "a.txt"])
    Path("elsewhere").rename("notes")
    Path("notes", "d.txt").unlink()
    write("c.txt", b"", seconds_ago=60)
    write("b.txt", NOTES["a.txt"], seconds_ago=60)
    main([*words, "notes"])
    capsys.readouterr()
    assert {each["name"] for each in docs("list")["documents"]} > set(NOTES)
