"""What a folder within a repository leaves out is what git leaves out, whichever of its folders is named."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from nonet.specialists.ingest import find_documents

FILES = [
    "a.txt",
    "secret.txt",
    "keep.secret.txt",
    "sub/a.txt",
    "sub/x.secret.txt",
    "sub/keep.secret.txt",
    "sub/top.txt",
    "sub/note.md",
    "sub/deep/a.txt",
    "sub/deep/x.secret.txt",
    "sub/deep/own.md",
    "sub/deep/own.txt",
    "sub/deep/back.tmp",
    "sub/deep/local.txt",
    "sub/build/out.txt",
    "sub/deep/build/out.txt",
    "other/a.txt",
    "build/a.txt",
    "build/b.secret.txt",
]
IGNORES = {
    ".gitignore": "# ours\n*.secret.txt\n!keep.secret.txt\n/sub/top.txt\n*.tmp\n\nsub/build/\n/build\nsub/**/own.md\n",
    "sub/.gitignore": "*.md\n!deep/own.txt\n",
    "sub/deep/.gitignore": "!back.tmp\n/own.txt\n",
    ".git/info/exclude": "local.txt\n",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".gitignore").write_text("*.txt\n")  # above the repository: not git's business
    root = tmp_path / "repository"
    for name in FILES:
        write(root / name, name)
    for name, lines in IGNORES.items():
        write(root / name, lines)
    return root


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def taken(folder: Path) -> set[str]:
    return {each.path.relative_to(folder).as_posix() for each in find_documents([folder]).files}


def reasons(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): reason for path, reason in find_documents([folder]).skipped}


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("named", ["", "sub", "sub/deep", "other"])
def test_what_git_leaves_out_is_left_out(repository: Path, named: str) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", "init", "-q"], cwd=repository, env=environment, check=True)
    write(repository / ".git/info/exclude", IGNORES[".git/info/exclude"])
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard"],
        cwd=repository / named,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert taken(repository / named) == {name for name in listed.stdout.split() if not name.endswith(".gitignore")}


def test_the_folders_above_count_up_to_the_root_of_the_repository(repository: Path) -> None:
    told = reasons(repository / "sub")
    assert told["x.secret.txt"] == told["top.txt"] == "ignored by .gitignore"
    assert told["deep/local.txt"] == "ignored by .git/info/exclude"
    assert {"a.txt", "keep.secret.txt", "deep/back.tmp"} <= taken(repository / "sub")


def test_without_a_repository_those_of_the_folder_and_below_count_alone(repository: Path) -> None:
    shutil.rmtree(repository / ".git")
    assert {"x.secret.txt", "top.txt", "deep/local.txt"} <= taken(repository / "sub")
    assert "note.md" not in taken(repository / "sub")


def test_what_is_named_itself_is_in_though_it_is_ignored(repository: Path) -> None:
    assert taken(repository / "build") == {"a.txt"}, "its secret is left out, as everywhere"
    assert "build/a.txt" not in taken(repository)
    secret = repository / "secret.txt"
    assert [each.path for each in find_documents([secret]).files] == [secret]


def test_another_worktree_has_what_the_repository_excludes(repository: Path, tmp_path: Path) -> None:
    place = repository / ".git/worktrees/two"
    write(place / "commondir", "../..\n")
    write(tmp_path / "two/.git", f"gitdir: {place}\n")
    write(tmp_path / "two/sub/local.txt", "local")
    write(tmp_path / "two/sub/a.txt", "a")
    assert taken(tmp_path / "two/sub") == {"a.txt"}
