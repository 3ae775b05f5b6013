"""The wheel holds what the tree holds: packages are listed by hand, so a test compares the list."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ROOMS = ("agents", "graphs", "runtimes", "specialists", "store")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def packages_in_the_tree() -> set[str]:
    found = {"nonet"}
    for init in (ROOT / "src" / "nonet").glob("*/__init__.py"):
        if not init.parent.is_symlink():
            found.add(f"nonet.{init.parent.name}")
    for room in ROOMS:
        for init in (ROOT / room).rglob("__init__.py"):
            found.add(".".join(("nonet", *init.parent.relative_to(ROOT).parts)))
    return found


def test_every_package_is_listed_and_mapped() -> None:
    setuptools = PROJECT["tool"]["setuptools"]
    assert set(setuptools["packages"]) == packages_in_the_tree()
    assert set(setuptools["package-dir"]) == {"nonet", *(f"nonet.{room}" for room in ROOMS)}


def test_the_links_make_the_tree_whole() -> None:
    for room in ROOMS:
        assert (ROOT / "src" / "nonet" / room).resolve() == ROOT / room


def test_the_lock_has_every_direct_dependency() -> None:
    locked = {line.split("==")[0] for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()}
    wanted = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    for extra in PROJECT["project"]["optional-dependencies"].values():
        wanted += extra
    names = {requirement.split(">")[0].split("=")[0].split("<")[0].split("[")[0].strip() for requirement in wanted}
    assert names <= locked


def test_the_version_is_said_once() -> None:
    import nonet  # noqa: PLC0415

    assert PROJECT["project"]["version"] == nonet.__version__
