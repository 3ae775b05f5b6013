"""E-mail and mailboxes: what is made of them and of what is attached, and what is said of what is not read."""

from __future__ import annotations

import mailbox
import os
import signal
from email.message import EmailMessage
from pathlib import Path

import pytest
from fakes import files

from nonet.errors import DocumentError
from nonet.specialists.ingest import IngestedDocument, read_document
from nonet.specialists.ingest_kinds import Kind
from nonet.specialists.parser_process import ParserProcess

EMAIL = (
    b"From: Ann <ann@example.com>\r\nTo: bob@example.com\r\nSubject: =?utf-8?q?Pumpe_gr=C3=B6=C3=9Fer?=\r\n"
    b"Date: Tue, 07 May 2024 12:30:00 +0000\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="X"\r\n\r\n--X\r\nContent-Type: text/html; charset=utf-8\r\n\r\n'
    b"<p>The <b>pump</b> was replaced.</p>\r\n--X\r\nContent-Type: application/pdf\r\n"
    b'Content-Disposition: attachment; filename="offer.pdf"\r\n\r\nxyz\r\n--X--\r\n'
)


def read(folder: Path, name: str, content: bytes | str) -> IngestedDocument:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_document(path)


def test_an_email_tells_who_when_and_what(tmp_path: Path) -> None:
    document = read(tmp_path, "a.eml", EMAIL)
    assert "From: Ann <ann@example.com>" in document.text
    assert "The **pump** was replaced." in document.text
    assert document.title == "Pumpe größer"
    assert document.dated == 1_715_085_000
    assert document.notes == ("attachments are not read: offer.pdf (is damaged, or is no PDF)",)


def message(subject: str, text: str, *attachments: tuple[str, bytes]) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["Subject"], made["Date"] = "ann@example.com", subject, "Tue, 07 May 2024 12:30:00 +0000"
    made.set_content(text)
    for name, data in attachments:
        made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return made


def test_what_is_attached_to_an_email_is_read_under_its_name(tmp_path: Path) -> None:
    inner = message("The old offer", "It was lower.", ("old.txt", b"Eleven hundred euros."))
    outer = message(
        "Offer", "See below.",
        ("offer.pdf", files.pdf(["The pump costs 900 euros."])),
        ("parts.docx", files.office("# Parts\n\nTwo seals.", "docx")),
        ("notes.txt", "Größe: 3".encode("cp1252")),
        ("bomb.docx", files.zip_bomb()),
        ("scan.png", b"\x89PNG\r\n\x1a\n" + bytes(64)),
        ("blank.txt", b" "),
    )  # fmt: skip
    outer.add_attachment(inner)
    document = read(tmp_path, "a.eml", outer.as_bytes())
    for told in ("The pump costs 900 euros.", "Two seals.", "Größe: 3", "It was lower.", "Eleven hundred euros."):
        assert told in document.text
    assert "# offer.pdf\n\nThe pump" in document.text
    [note] = document.notes
    assert note.startswith("attachments are not read: bomb.docx (would unpack from ")
    assert note.endswith("scan.png (is an image), blank.txt (is empty)")


def test_an_email_whose_attachment_ends_its_parser_is_read_without_it(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(message("Offer", "The pump costs 900 euros.", ("bad.pdf", files.pdf(["words"]))).as_bytes())
    with ParserProcess() as parser:
        parser.parse(Kind.PDF, files.pdf(["first"]))
        assert parser.pid is not None
        os.kill(parser.pid, signal.SIGKILL)  # as what is attached may end it
        document = read_document(path, parser=parser)
    assert "The pump costs 900 euros." in document.text
    assert document.notes == (
        "read without its attachments: with them it made its parser fail: it is damaged, or takes too much memory",
        "attachments are not read: bad.pdf",
    )


def test_what_is_attached_is_bounded_in_depth_and_number(tmp_path: Path) -> None:
    nested = message("Innermost", "the core")
    for depth in range(5):
        around = message(f"Level {depth}", f"round {depth}")
        around.add_attachment(nested)
        nested = around
    document = read(tmp_path, "deep.eml", nested.as_bytes())
    assert ("round 1" in document.text, "round 0" in document.text) == (True, False)
    assert document.notes == ("attachments are not read: message/rfc822 (is nested too deeply)",)
    many = message("Many", "see", *((f"{number}.txt", f"part {number}.".encode()) for number in range(80)))
    document = read(tmp_path, "many.eml", many.as_bytes())
    assert ("part 49." in document.text, "part 50." in document.text) == (True, False)
    assert document.notes[0].endswith(" and 10 more")


@pytest.mark.parametrize("name", ["old.mbox", "Inbox"])
def test_a_mailbox_is_read_a_message_a_section(tmp_path: Path, name: str) -> None:
    first = message("Pump", "It leaks.\n\nFrom what I saw, the seal is worn.", ("a.pdf", b"x"))
    second = message("Re: Pump", "Replaced.")
    second.replace_header("Date", "Wed, 08 May 2024 12:30:00 +0000")
    place = tmp_path / name
    box = mailbox.mbox(place)
    for each in (first, second):
        box.add(each)
    box.add(b"no header at all")
    box.close()
    document = read_document(place)
    assert document.media_type == "application/mbox"
    assert "# Pump\n\nFrom: ann@example.com" in document.text
    assert "\nFrom what I saw, the seal is worn." in document.text
    assert "# Re: Pump" in document.text
    assert document.dated == 1_715_171_400
    assert "no header at all" in document.text, "what is no message stays with the one before it"
    assert "attachments are not read: a.pdf" in document.notes


def test_a_text_that_begins_like_a_mailbox_is_none(tmp_path: Path) -> None:
    assert read(tmp_path, "a.txt", "From June to July 2024\nit rained.").media_type == "text/plain"
    with pytest.raises(DocumentError, match="is damaged, or is no mailbox"):
        read(tmp_path, "a.mbox", "nothing of the kind")


def test_an_email_of_an_encoding_that_it_does_not_tell_is_read(tmp_path: Path) -> None:
    head = "From: Jürgen <j@example.com>\nSubject: Müller grüßt\nContent-Type: text/plain; charset=no-such\n"
    message = f"{head}\nHöhe über Maß\n"
    for encoding in ("cp1252", "utf-8"):
        document = read(tmp_path, f"{encoding}.eml", message.encode(encoding))
        assert "Subject: Müller grüßt" in document.text
        assert "Höhe über Maß" in document.text


def test_an_email_nested_too_deeply_is_said(tmp_path: Path) -> None:
    parts = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(3_000))
    with pytest.raises(DocumentError, match="is nested too deeply"):
        read(tmp_path, "a.eml", f"Subject: deep\n{parts}Content-Type: text/plain\n\nhello\n")


def test_a_paragraph_that_begins_with_from_ends_no_message(tmp_path: Path) -> None:
    path = tmp_path / "a.mbox"
    path.write_bytes(
        b"\nFrom ann@example.com Fri May  3 10:00:00 2024\nSubject: First\n\nHello.\n\n"
        b"From the desk of Bob we hear the pump cost 42 euros.\n\n"
        b"From bob@example.com Sat May  4 10:00:00 2024\nSubject: Second\n\nBye.\n\n"
        b"From \nSubject: Third\n\nWithout a date.\n"
    )
    document = read_document(path)
    assert document.text.count("# ") == 3
    assert "From the desk of Bob we hear the pump cost 42 euros." in document.text
    assert "# First" in document.text
    assert document.notes == ()
