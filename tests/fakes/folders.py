"""Temporary folders that another user can come through."""

from __future__ import annotations

from pathlib import Path

import pytest


def let_others_through(folder: Path, factory: pytest.TempPathFactory) -> Path:
    """Open a temporary folder to the user that a sandbox takes on where root runs it; pytest makes them private."""
    base = factory.getbasetemp()
    if base.name.startswith("popen-"):  # of one process of several
        base = base.parent
    if base.parent.name.startswith("pytest-of-"):  # else the folder was named on the command line
        base = base.parent
    for each in (folder, *folder.parents):
        each.chmod(0o755)
        if each == base:
            break
    return folder
