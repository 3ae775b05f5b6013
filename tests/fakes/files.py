"""Small documents of other formats, made on the spot."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import office_oxide
import pypdf

OfficeKind = Literal["docx", "pptx", "xlsx"]


def pdf(pages: Sequence[str], title: str = "") -> bytes:
    """A PDF with one line of text a page; an empty string makes a page that holds none."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for text in pages:
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        stream = f"BT /F1 12 Tf 72 720 Td ({escaped}) Tj ET".encode("latin-1") if text else b""
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    objects.append(b"<< /Title (%s) >>" % title.encode("latin-1"))
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, len(objects))
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % table


def encrypted_pdf(text: str, password: str) -> bytes:
    """The same behind a password."""
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(io.BytesIO(pdf([text]))))
    writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def office(markdown: str, kind: OfficeKind) -> bytes:
    """An Office document."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"made.{kind}"
        office_oxide.create_from_markdown(markdown, kind, str(path))
        return path.read_bytes()


def docx_with_entities() -> bytes:
    """A DOCX whose text takes one entity from its own DTD and one from a file of the machine's."""
    made = io.BytesIO()
    dtd = b'<!DOCTYPE d [<!ENTITY j "joined"><!ENTITY x SYSTEM "file:///etc/hostname">]><w:document'
    with (
        zipfile.ZipFile(io.BytesIO(office("Before. END", "docx"))) as source,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for entry in source.infolist():
            part = source.read(entry)
            if entry.filename == "word/document.xml":
                part = part.replace(b"<w:document", dtd, 1).replace(b"END", b"A &j; and &x; end.")
            target.writestr(entry.filename, part)
    return made.getvalue()


def docx_of_images() -> bytes:
    """A DOCX that holds a picture and no text, as scanners make them."""
    made = io.BytesIO(office("", "docx"))
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr("word/media/image1.png", b"\x89PNG\r\n\x1a\n" + bytes(64))
    return made.getvalue()


def zip_bomb() -> bytes:
    """A DOCX of some 60 KB whose text would unpack to 60 MB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as file:
        for _ in range(60):
            file.write(b"a" * 1_000_000)
    return out.getvalue()


def lying_zip_bomb() -> bytes:
    """As `zip_bomb`, but its directory claims a size of some bytes."""
    data = zip_bomb()
    real = (60_000_000).to_bytes(4, "little")
    return data.replace(real, (5_000).to_bytes(4, "little"))
