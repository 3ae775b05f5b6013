"""Finds what `module:object` and `./file.py:object` name."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

from nonet.errors import NonetError, SpecialistError

OF_A_FILE = "nonet_file_"
"""How the names of modules begin that are no modules elsewhere."""


def find_object(reference: str) -> Any:  # noqa: ANN401  whatever stands there
    """The object. Importing runs the module's code, so a file that others may write is refused.

    Raises:
        SpecialistError: there is no such module, file or object, or its code raised an error.
    """
    place, _, name = reference.rpartition(":")
    module = find_module(place, reference)
    try:
        return attrgetter(name)(module)
    except AttributeError as error:
        raise SpecialistError(f"{reference}: the module has no {name!r}.") from error


def find_module(place: str, said: str) -> ModuleType:
    """The module or the file. Raises as `find_object`, naming what was `said`."""
    try:
        return module_of_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    except NonetError:
        raise
    except ModuleNotFoundError as error:
        raise SpecialistError(
            f"{said}: there is no module {error.name!r}.",
            next_step="Install what has it, or write ./file.py:object for a file beside nonet.toml.",
        ) from error
    except (Exception, SystemExit) as error:  # anything that the module does when it is imported
        raise SpecialistError(f"{said}: importing it raised {type(error).__name__}: {error}.") from error


def module_of_file(path: Path) -> ModuleType:
    """Run a Python file as a module, once a process. Raises SpecialistError, and whatever its code raises."""
    if not path.is_file():
        raise SpecialistError(f"There is no file {path}.", next_step="Correct its path in nonet.toml.")
    if hasattr(os, "getuid") and path.stat().st_uid not in (os.getuid(), 0):
        raise SpecialistError(
            f"{path} belongs to another user, so its code is not run.", next_step="Copy it, after you have read it."
        )
    name = f"{OF_A_FILE}{path.stem}_{abs(hash(str(path.resolve()))):x}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SpecialistError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pydantic look a class's module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
