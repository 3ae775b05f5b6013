"""Opening the one file: made private, recognised, and refused in plain words."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nonet.errors import StoreCorruptError, StoreError, StoreWriteError
from nonet.store import Store
from nonet.store.migrations import MIGRATIONS


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def raw(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def test_a_new_database_is_private_even_with_an_open_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Store.open(tmp_path / "new" / "deep" / "nonet.db") as store:
            store.documents.list()
            modes = {file.name: mode(file) for file in store.path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes["nonet.db"] == 0o600
    assert set(modes.values()) == {0o600}, modes
    assert mode(tmp_path / "new" / "deep") == 0o700


def test_an_existing_folder_and_database_keep_their_modes(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    Store.open(tmp_path / "nonet.db").close()
    (tmp_path / "nonet.db").chmod(0o640)
    Store.open(tmp_path / "nonet.db").close()
    assert mode(tmp_path) == 0o755
    assert mode(tmp_path / "nonet.db") == 0o640


def test_the_file_is_durable_and_says_whose_it_is(tmp_path: Path) -> None:
    Store.open(tmp_path / "nonet.db").close()
    connection = raw(tmp_path / "nonet.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA application_id").fetchone() == (0x6E6E6574,)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    connection.close()
    assert list(tmp_path.iterdir()) == [tmp_path / "nonet.db"], "closing leaves no -wal and no -shm"


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "nonet.db"
    path.touch(mode=0o666)
    with Store.open(path) as store:
        assert store.documents.list() == []
    assert mode(path) == 0o600


def test_the_home_folder_may_be_written_as_a_tilde() -> None:
    with Store.open("~/kept/nonet.db") as store:
        assert store.path == Path.home() / "kept" / "nonet.db"


def test_names_that_mean_something_in_a_uri(tmp_path: Path) -> None:
    path = tmp_path / "a ?mode=memory #1 %41.db"
    Store.open(path).close()
    assert path.stat().st_size > 0


def test_without_create_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no database"):
        Store.open(tmp_path / "nonet.db", create=False)
    assert not list(tmp_path.iterdir())


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder"):
        Store.open(tmp_path)


def test_a_device_is_refused() -> None:
    with pytest.raises(StoreError, match="is not a file"):
        Store.open("/dev/null")


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreWriteError, match="cannot be made"):
        Store.open(tmp_path / "file" / "nonet.db")


@pytest.mark.parametrize("name", ["a\0b", "half \ud83d.db", "x" * 300, "~nosuchuser/nonet.db"])
def test_a_name_that_cannot_be_one_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError):
        Store.open(name if name.startswith("~") else tmp_path / name)


@pytest.mark.parametrize("content", [b"# Notes\n", b"x", b"SQLite", b"\0" * 5000])
def test_a_file_of_another_kind_is_left_untouched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.md"
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError, match="is not a database"):
        Store.open(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE runs (id)", "PRAGMA user_version = 3", "PRAGMA application_id = 7"]
)
def test_a_foreign_database_is_left_untouched(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "other.db"
    connection = raw(path)
    connection.execute(statement)
    connection.close()
    content = path.read_bytes()
    with pytest.raises(StoreCorruptError, match=r"not one of nonet's"):
        Store.open(path)
    assert path.read_bytes() == content


def test_a_database_of_a_newer_release_is_left_untouched(tmp_path: Path) -> None:
    path = tmp_path / "nonet.db"
    Store.open(path).close()
    connection = raw(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer nonet") as caught:
        Store.open(path)
    assert "Upgrade" in caught.value.next_step


def test_a_truncated_database_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "nonet.db"
    Store.open(path).close()
    path.write_bytes(path.read_bytes()[:6000])
    with pytest.raises(StoreCorruptError, match="damaged"):
        Store.open(path)


def test_damage_inside_shows_when_it_is_read_and_names_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "nonet.db"
    Store.open(path).close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xaa" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError) as caught, Store.open(path) as store:
        store.documents.list()
    assert "backup" in caught.value.next_step


READ_ONLY = """
import os, sys
from nonet.errors import StoreError
from nonet.store import Store
Store.open(sys.argv[2]).close()  # so that all is imported before the next line
if os.getuid() == 0:
    os.setuid(65534)  # root may write anywhere
try:
    Store.open(sys.argv[1]).check_writable()
except StoreError as error:
    print(type(error).__name__, "|", error)
"""


@pytest.mark.parametrize(("existing", "folder_mode"), [(False, 0o555), (True, 0o555), (True, 0o777)])
def test_a_read_only_file_or_folder_is_said_at_the_start(
    tmp_path: Path,
    existing: bool,  # noqa: FBT001
    folder_mode: int,
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "nonet.db"
    if existing:
        Store.open(path).close()
        path.chmod(0o444)
    folder.chmod(folder_mode)
    for parent in tmp_path.parents:
        if parent.stat().st_uid == os.getuid() and parent.name.startswith(("pytest-", "test")):
            parent.chmod(0o755)
    tmp_path.chmod(0o755)
    try:
        ended = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(path), str(tmp_path / "warm.db")],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    finally:
        folder.chmod(0o755)
    assert ended.stdout.startswith("StoreWriteError | The database "), ended
    assert "--db" in ended.stdout
