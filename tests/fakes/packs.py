"""Packs for tests: a distribution on a path entry is all that an entry point needs to be found."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path


def write_pack(
    folder: Path, name: str, points: Mapping[str, str], modules: Mapping[str, str] | None = None, version: str = "1.0"
) -> Path:
    """A folder that, once it is on sys.path, holds the distribution, its entry points and its modules."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    lines = "".join(f"{point} = {value}\n" for point, value in points.items())
    (info / "entry_points.txt").write_text(f"[nonet.specialists]\n{lines}", encoding="utf-8")
    for module, text in (modules or {}).items():
        (folder / f"{module}.py").write_text(text, encoding="utf-8")
    return folder


def installed(project: Path, folder: Path) -> tuple[Path, Path]:
    """The two path entries that stand for `pip install PROJECT`: its sources, and its metadata in the folder."""
    told = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    write_pack(folder, told["name"], told["entry-points"]["nonet.specialists"], version=told["version"])
    return project / "src", folder
