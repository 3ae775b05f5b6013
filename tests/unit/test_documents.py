"""Documents into the store: only what is new is read, what is gone goes, and what is bad spoils nothing else."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import files

from nonet.errors import DocumentError
from nonet.graphs.documents import AddReport, add_documents
from nonet.store import Filter, Store

LONG_AGO = time.time() - 3600


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "nonet.db") as store:
        yield store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name, text in (("a.md", "# A\n\nalpha"), ("sub/b.txt", "beta"), ("c.txt", "gamma")):
        write(folder / name, text)
    return folder


def write(path: Path, content: str | bytes, *, modified: float = LONG_AGO) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (modified, modified))
    return path


def add(store: Store, *paths: Path, collection: str = "") -> AddReport:
    return add_documents(store, paths, collection=collection)


def test_a_path_that_is_too_long_spoils_nothing_else(store: Store, folder: Path) -> None:
    report = add(store, folder / "a.md", Path("a" * 5000))
    assert report.added == ("a.md",)
    [failed] = report.failed
    assert failed.reason.endswith("cannot be read: File name too long.")


def test_only_what_changed_is_read_again(store: Store, folder: Path) -> None:
    assert set(add(store, folder).added) == {"a.md", "sub/b.txt", "c.txt"}
    read: list[str] = []
    report = add_documents(store, [folder], lambda _done, _total, name: read.append(name))
    assert set(report.unchanged) == {"a.md", "sub/b.txt", "c.txt"}
    assert read[-1] == ""
    write(folder / "c.txt", "delta", modified=LONG_AGO + 5)
    os.utime(folder / "a.md", (LONG_AGO + 9, LONG_AGO + 9))
    report = add(store, folder)
    assert (report.replaced, set(report.unchanged)) == (("c.txt",), {"a.md", "sub/b.txt"})
    assert store.documents.get("c.txt").text() == "delta"
    assert store.documents.get("a.md").modified == LONG_AGO + 9


def test_a_change_within_one_tick_of_the_clock_is_seen(store: Store, tmp_path: Path) -> None:
    now = time.time()
    path = write(tmp_path / "a.txt", "one", modified=now)
    add(store, path)
    write(path, "two", modified=now)
    assert add(store, path).replaced == ("a.txt",)


def test_documents_of_deleted_files_go_with_them(store: Store, folder: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other" / "o.txt", "other")
    add(store, folder, other)
    (folder / "c.txt").unlink()
    other.unlink()
    report = add(store, folder)
    assert report.removed == ("c.txt",)
    assert {record.name for record in store.documents.list()} == {"a.md", "sub/b.txt", "o.txt"}


def test_a_moved_file_is_found_under_its_new_name_alone(store: Store, folder: Path) -> None:
    add(store, folder)
    (folder / "c.txt").rename(folder / "moved.txt")
    report = add(store, folder)
    assert (report.removed, report.added) == (("c.txt",), ("moved.txt",))


def test_the_same_bytes_are_kept_once(store: Store, folder: Path) -> None:
    copy = write(folder / "z-copy.txt", "gamma")
    report = add(store, folder)
    assert report.duplicates == ((str(copy), "c.txt"),)
    assert "c.txt" in add(store, copy).names, "a run that reads the copy reads the original"
    (folder / "c.txt").unlink()
    assert add(store, folder).added == ("z-copy.txt",)


def test_collections_stand_apart(store: Store, tmp_path: Path) -> None:
    one, two = write(tmp_path / "1" / "README.md", "same"), write(tmp_path / "2" / "README.md", "same")
    assert add(store, one, collection="web").added == ("web/README.md",)
    assert add(store, two, collection="lab").added == ("lab/README.md",)
    assert [record.name for record in store.documents.list(Filter(collection="lab"))] == ["lab/README.md"]
    hits = store.documents.search("same", 5, where=Filter(collection="web"))
    assert [(hit.document, hit.collection) for hit in hits] == [("web/README.md", "web")]


def test_two_files_of_one_name_do_not_replace_each_other(store: Store, tmp_path: Path) -> None:
    one, two = write(tmp_path / "1" / "README.md", "first"), write(tmp_path / "2" / "README.md", "second")
    add(store, one)
    assert add(store, two).added == ("2/README.md",)
    assert add(store, one).unchanged == ("README.md",)


def test_what_is_bad_is_reported_and_the_others_are_kept(store: Store, folder: Path, tmp_path: Path) -> None:
    bad = {
        "locked.pdf": files.encrypted_pdf("secret", "pass"),
        "torn.docx": files.office("words", "docx")[:300],
        "bomb.docx": files.zip_bomb(),
        "scan.pdf": files.pdf([""]),
        "empty.txt": b"",
        "noise.txt": bytes(range(1, 256)) * 40,
    }
    for name, content in bad.items():
        write(folder / name, content)
    outside = write(tmp_path / "outside.txt", "out")
    (folder / "out.txt").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    (folder / "self.txt").symlink_to(folder / "self.txt")
    report = add(store, folder)
    assert set(report.added) == {"a.md", "sub/b.txt", "c.txt"}
    reasons = {Path(path).name: reason for path, reason in report.skipped}
    assert reasons["locked.pdf"] == "is encrypted"
    assert reasons["torn.docx"].startswith("is damaged")
    assert "zip bombs" in reasons["bomb.docx"]
    assert "no OCR" in reasons["scan.pdf"]
    assert reasons["empty.txt"] == "is empty"
    assert "not text" in reasons["noise.txt"]
    assert reasons["out.txt"] == "a link that leads out of the folder"
    assert reasons["loop"] == "a link to a folder"
    assert reasons["self.txt"] == "a broken link"
    assert len(reasons) == len(bad) + 3


def test_a_file_named_itself_fails_by_name_and_the_others_are_kept(store: Store, folder: Path) -> None:
    locked = write(folder / "locked.pdf", files.encrypted_pdf("secret", "pass"))
    report = add(store, folder / "nowhere.txt", locked, folder / "c.txt")
    assert report.added == ("c.txt",)
    assert [(Path(failed.path).name, failed.reason.split(" ", 1)[1]) for failed in report.failed] == [
        ("nowhere.txt", "does not exist."), ("locked.pdf", "is encrypted."),
    ]  # fmt: skip
    with pytest.raises(DocumentError, match=r"nowhere\.txt does not exist\. 1 more could not be read"):
        add(store, folder / "nowhere.txt", locked)


def test_a_file_that_vanishes_or_grows_too_large_meanwhile_is_said(store: Store, folder: Path) -> None:
    def meddle(_done: int, _total: int, name: str) -> None:
        if name == "a.md":
            (folder / "c.txt").unlink()
            with (folder / "sub" / "b.txt").open("wb") as file:
                file.truncate(500_000_000)  # takes no room on the disk

    report = add_documents(store, [folder], meddle)
    assert report.added == ("a.md",)
    reasons = {Path(path).name: reason for path, reason in report.skipped}
    assert reasons["c.txt"] == "does not exist any more: it vanished before it was read"
    assert reasons["b.txt"] == "has 500,000,000 bytes; at most 50,000,000 are read"


def test_what_was_read_before_an_interrupt_is_kept(store: Store, folder: Path) -> None:
    def interrupt(done: int, _total: int, _name: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add_documents(store, [folder], interrupt)
    assert [record.name for record in store.documents.list()] == ["a.md", "c.txt"]
    report = add(store, folder)
    assert (set(report.unchanged), report.added) == ({"a.md", "c.txt"}, ("sub/b.txt",))


def test_a_name_that_is_none_is_said(store: Store, folder: Path) -> None:
    odd = os.fsdecode(os.fsencode(folder) + b"/odd\xff.txt")
    write(Path(odd), "words")
    report = add(store, folder)
    assert "c.txt" in report.added
    [(path, reason)] = report.skipped
    assert (path, "not a name for a document" in reason) == (odd, True)


def test_nothing_to_read_is_an_error(store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DocumentError, match="No document was found"):
        add(store, tmp_path / "empty")


def test_a_file_that_was_read_by_other_rules_is_read_again(store: Store, folder: Path, tmp_path: Path) -> None:
    add(store, folder)
    record = store.documents.get("c.txt")
    assert (record.file_digest, record.path) == (record.digest, str(folder / "c.txt"))
    with closing(sqlite3.connect(tmp_path / "nonet.db")) as connection, connection:
        connection.execute("UPDATE documents SET rules = 'older', media_type = 'text/older'")
    assert set(add(store, folder).replaced) == {"a.md", "sub/b.txt", "c.txt"}
    assert store.documents.get("c.txt") == replace(record, added_at_s=store.documents.get("c.txt").added_at_s)
