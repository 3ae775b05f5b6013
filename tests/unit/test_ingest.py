from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonet.errors import DocumentError
from nonet.specialists.budget import covered, split_chars
from nonet.specialists.ingest import find_documents, read_document


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "text", "encoding"),
    [
        ("héllo\r\nworld\r".encode(), "héllo\nworld\n", "utf-8"),
        (b"\xef\xbb\xbfh\xc3\xa9llo", "héllo", "utf-8-sig"),
        (b"\xff\xfe" + "naïve".encode("utf-16-le"), "naïve", "utf-16"),
        (b"\xfe\xff" + "naïve".encode("utf-16-be"), "naïve", "utf-16"),
        (b"\xff\xfe\x00\x00" + "naïve".encode("utf-32-le"), "naïve", "utf-32"),
    ],
)
def test_reads_unicode_by_its_mark(tmp_path: Path, content: bytes, text: str, encoding: str) -> None:
    document = read_document(write(tmp_path / "a.txt", content))
    assert (document.text, document.encoding) == (text, encoding)
    assert document.size_bytes == len(content)
    assert document.chunks == ((0, len(text)),)


def test_guesses_an_older_encoding_and_says_which(tmp_path: Path) -> None:
    text = "Où est passé le garçon? Il a été reçu à l'hôtel près de la forêt, où l'été s'achève déjà. " * 5
    document = read_document(write(tmp_path / "a.txt", text.encode("latin-1")))
    assert document.text == text
    assert document.encoding not in {"utf-8", "ascii"}
    assert document.notes == (f"read as {document.encoding}, which is a guess",)


def test_two_encodings_in_one_file_are_both_read(tmp_path: Path) -> None:
    lines = [f"Zeile {n}: größer, süßer, schöner".encode() for n in range(50)]
    lines[20] = "Zeile 20: größer als über".encode("cp1252")
    document = read_document(write(tmp_path / "a.log", b"\n".join(lines)))
    assert document.encoding == "utf-8, mixed"
    assert document.text.splitlines()[20] == "Zeile 20: größer als über"
    assert "\ufffd" not in document.text


def test_a_short_file_of_two_encodings_is_read_line_by_line(tmp_path: Path) -> None:
    document = read_document(write(tmp_path / "a.txt", "größe hier\n".encode() + "süße dort\n".encode("cp1252")))
    assert document.text == "größe hier\nsüße dort\n"
    assert document.notes == ("read as utf-8, mixed",)


def test_right_to_left_text_stays_in_its_order(tmp_path: Path) -> None:
    text = "المضخة رقم HL-3318 في الخليج 3.\nהמשאבה הוחלפה ב-5 במאי.\n"
    for encoding, said in (("utf-8", "utf-8"), ("utf-16", "utf-16")):
        document = read_document(write(tmp_path / f"{encoding}.txt", text.encode(encoding)))
        assert (document.text, document.encoding) == (text, said)
        assert "".join(document.text[slice(*chunk)] for chunk in document.chunks) == text


def test_names_and_media_types(tmp_path: Path) -> None:
    assert read_document(write(tmp_path / "a.md", "# Hi"), name="docs/a.md").name == "docs/a.md"
    assert read_document(tmp_path / "a.md").media_type == "text/markdown"
    assert read_document(write(tmp_path / "b.py", "x = 1")).media_type == "text/x-python"
    assert read_document(write(tmp_path / "LICENSE", "All rights")).media_type == "text/plain"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.txt", b"", "is empty"),
        ("blank.txt", b" \n\t\n", "is empty"),
        ("nul.txt", b"abc\x00def", "is not text"),
        ("noise.txt", bytes(byte for byte in range(1, 256)) * 40, "is not text"),
        ("paper.pdf", b"%PDF-1.7", "is damaged, or is no PDF"),
        ("paper.txt", b"%PDF-1.7\n", "is damaged, or is no PDF"),
        ("noise.pdf", bytes(byte for byte in range(1, 256)) * 40, "is damaged, or is no PDF"),
        ("book.epub", b"PK", "is EPUB, which nonet does not read"),
        ("half.txt", b"\xff\xfea", "is not text"),
    ],
)
def test_refuses_what_is_no_text(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(DocumentError, match=message) as caught:
        read_document(path)
    assert caught.value.next_step
    assert str(path) in caught.value.message


def test_refuses_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="does not exist"):
        read_document(tmp_path / "missing.txt")
    with pytest.raises(DocumentError, match="is a folder"):
        read_document(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DocumentError, match="pipe, socket or device"):
        read_document(tmp_path / "pipe")
    with pytest.raises(DocumentError, match="pipe, socket or device"):
        read_document(Path("/dev/zero"))
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(DocumentError, match="leads back to itself"):
        read_document(loop)
    with pytest.raises(DocumentError, match="cannot be read"):
        read_document(Path("a\x00b"))
    with pytest.raises(DocumentError, match="cannot be read"):
        read_document(tmp_path / ("x" * 300))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_refuses_what_may_not_be_read(tmp_path: Path) -> None:
    path = write(tmp_path / "secret.txt", "secret")
    path.chmod(stat.S_IWUSR)
    with pytest.raises(DocumentError, match="may not be read"):
        read_document(path)


def test_refuses_what_is_too_large(tmp_path: Path) -> None:
    path = write(tmp_path / "large.txt", "word " * 100)
    with pytest.raises(DocumentError, match=r"500 bytes; at most 499"):
        read_document(path, max_bytes=499)
    assert read_document(path, max_bytes=500).size_bytes == 500


def test_chunks_cover_the_text_and_overlap_a_little(tmp_path: Path) -> None:
    paragraphs = [f"Paragraph {n} speaks of things. " + "It goes on for a while. " * 12 for n in range(60)]
    document = read_document(write(tmp_path / "a.txt", "\n\n".join(paragraphs)))
    assert covered(document.chunks) == len(document.text)
    assert all(0 <= start < end <= len(document.text) for start, end in document.chunks)
    assert max(end - start for start, end in document.chunks) <= 1_800
    assert all(start <= before for (_, before), (start, _) in zip(document.chunks, document.chunks[1:], strict=False))


@given(st.text(st.characters(codec="utf-8"), max_size=3_000), st.booleans(), st.integers(20, 400))
def test_any_text_is_covered(text: str, markdown: bool, size: int) -> None:  # noqa: FBT001
    spans = split_chars(text, (size // 2, size), overlap=size // 5, markdown=markdown)
    assert covered(spans) == len(text)
    assert all(start < end for start, end in spans)


def test_a_long_text_is_covered_across_blocks() -> None:
    text = "".join(f"Sentence number {n} stands here.\n" for n in range(9_000))
    spans = split_chars(text, (1_200, 1_800), overlap=200)
    assert len(text) > 200_000
    assert covered(spans) == len(text)


def test_a_long_text_without_any_break_is_covered() -> None:
    for text in ("東京都" * 40_000, "東京は日本の首都である。" * 10_000):
        spans = split_chars(text, (1_200, 1_800))
        assert "".join(text[slice(*span)] for span in spans) == text
    assert all(text[end - 1] == "。" for _, end in spans)


def test_finds_documents_and_says_what_it_skips(tmp_path: Path) -> None:
    root = tmp_path / "docs"
    write(root / "b.md", "b")
    write(root / "a" / "x.txt", "x")
    write(root / ".hidden" / "y.txt", "y")
    write(root / "photo.png", b"\x89PNG")
    write(root / "page.html", "<p>")
    write(root / "old.odt", b"PK")
    outside = write(tmp_path / "outside.txt", "o")
    (root / "link.txt").symlink_to(outside)
    (root / "same.md").symlink_to(root / "b.md")
    (root / "loop").symlink_to(root)
    (root / "broken").symlink_to(root / "nowhere")
    os.mkfifo(root / "pipe")
    files, skipped = find_documents([root])
    assert [(found.name, found.path) for found in files] == [
        ("a/x.txt", root / "a" / "x.txt"), ("b.md", root / "b.md"), ("page.html", root / "page.html"),
    ]  # fmt: skip
    assert {path.name: reason for path, reason in skipped} == {
        ".hidden": "hidden",
        "photo.png": "an image, and there is no OCR",
        "old.odt": "OpenDocument is not read",
        "link.txt": "a link that leads out of the folder",
        "same.md": "the same file as b.md",
        "loop": "a link to a folder",
        "broken": "a broken link",
        "pipe": "a pipe, socket or device",
    }


def test_names_stay_unique(tmp_path: Path) -> None:
    for folder in ("one/docs", "two/docs", "three/docs"):
        write(tmp_path / folder / "README.md", folder)
    single = write(tmp_path / "README.md", "single")
    folders = [tmp_path / "one/docs", tmp_path / "two/docs", tmp_path / "three/docs"]
    files, skipped = find_documents([*folders, single, single])
    names = [found.name for found in files]
    assert names[:2] == ["README.md", "docs/README.md"]
    assert len(set(names)) == 4
    assert skipped == ((single, f"the same file as {names[3]}"),)


def test_a_file_keeps_the_name_it_has_and_takes_none_of_another(tmp_path: Path) -> None:
    one, two = (write(tmp_path / folder / "README.md", folder) for folder in ("one", "two"))
    known = {"first/README.md": str(one), "README.md": str(two)}
    assert [found.name for found in find_documents([one], known).files] == ["first/README.md"]
    three = write(tmp_path / "three" / "README.md", "three")
    assert [found.name for found in find_documents([three], known).files] == ["three/README.md"]
    two.unlink()
    assert [found.name for found in find_documents([three], known).files] == ["README.md"]


def test_ignore_files_are_honoured_as_git_does(tmp_path: Path) -> None:
    for name in ("a.log", "keep.log", "src/b.log", "src/c.txt", "build/d.txt", "node_modules/e.js", "src/own.txt"):
        write(tmp_path / name, name)
    write(tmp_path / ".gitignore", "*.log\n!keep.log\n/build/\n")
    write(tmp_path / "src" / ".nonetignore", "own.txt\n!b.log\n")
    files, skipped = find_documents([tmp_path])
    assert [found.name for found in files] == ["keep.log", "src/b.log", "src/c.txt"]
    assert {path.relative_to(tmp_path).as_posix(): reason for path, reason in skipped} == {
        ".gitignore": "hidden",
        "a.log": "ignored by .gitignore",
        "build": "ignored by .gitignore",
        "node_modules": "a cache",
        "src/.nonetignore": "hidden",
        "src/own.txt": "ignored by .nonetignore",
    }


def test_a_file_named_itself_is_always_in(tmp_path: Path) -> None:
    path = write(tmp_path / ".env.png", b"\x89PNG\x00")
    assert [found.path for found in find_documents([path]).files] == [path]


def test_folders_may_lie_deeper_than_python_calls_and_paths_may_be_too_long(tmp_path: Path) -> None:
    for name, depth in (("d", 1200), ("d" * 200, 30)):
        at = os.open(tmp_path, os.O_RDONLY)
        for _ in range(depth):
            os.mkdir(name, dir_fd=at)
            below = os.open(name, os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = below
        os.close(os.open("leaf.md", os.O_CREAT | os.O_WRONLY, dir_fd=at))
        os.close(at)
    (tmp_path / "z.md").write_text("words")
    try:
        found = find_documents([tmp_path])
    finally:
        subprocess.run(["rm", "-rf", *tmp_path.iterdir()], check=True)  # Python's own would call itself too often
    assert [file.name for file in found.files] == ["d/" * 1200 + "leaf.md", "z.md"]
    [(path, reason)] = found.skipped
    assert (len(str(path)) > 4000, reason) == (True, "cannot be read: File name too long")
