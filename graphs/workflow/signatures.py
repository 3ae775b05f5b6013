"""What a step's function takes and gives, read from its annotations."""

from __future__ import annotations

import hashlib
import inspect
import sys
import types
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args, get_origin

from nonet.errors import SpecialistError
from nonet.graphs.workflow.place import users_frame
from nonet.graphs.workflow.values import ValueType
from nonet.specialists.importing import OF_A_FILE, find_object

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a step reads by name."""

    name: str
    type: ValueType
    required: bool = True
    default: Any = None
    by_place: bool = False
    """The function takes it by its place only, as `len` does."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Of a function."""

    parameters: tuple[Parameter, ...]
    output: ValueType
    is_async: bool


def signature_of(function: Callable[..., Any]) -> Signature:
    """Read it. Raises ValueError, in words, for what cannot be a step's function."""
    try:
        read = inspect.signature(function, eval_str=True, globals=_globals(function), locals=_names_around(function))
    except NameError as error:
        raise ValueError(f"its annotations name {error.name!r}, which is not known there") from error
    except (TypeError, ValueError, SyntaxError, AttributeError) as error:
        raise ValueError(f"its signature cannot be read: {error}") from error
    parameters = []
    for each in read.parameters.values():
        if each.kind in _VARIADIC:
            raise ValueError(f"it takes {each}: what a step reads has to have names")
        annotation = Any if each.annotation is inspect.Parameter.empty else each.annotation
        required = each.default is inspect.Parameter.empty
        default = None if required else each.default
        by_place = each.kind is inspect.Parameter.POSITIONAL_ONLY
        parameters.append(Parameter(each.name, ValueType(annotation), required, default, by_place))
    is_async = inspect.iscoroutinefunction(function)
    return Signature(tuple(parameters), ValueType(_given(read.return_annotation)), is_async)


def _given(annotation: Any) -> Any:  # noqa: ANN401
    if annotation is inspect.Signature.empty:
        return Any
    if get_origin(annotation) in (Awaitable, Coroutine):
        return get_args(annotation)[-1]
    return annotation


def _globals(function: Callable[..., Any]) -> dict[str, Any]:
    return getattr(inspect.unwrap(function), "__globals__", {})


def _names_around(function: Callable[..., Any]) -> Mapping[str, Any]:
    """Annotations may name classes of the function that defines this one (a test, a factory)."""
    frame = users_frame()
    around = dict(frame.f_locals) if frame is not None else {}
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None) or ()
    for name, cell in zip(code.co_freevars if code is not None else (), cells, strict=False):
        try:
            around[name] = cell.cell_contents
        except ValueError:  # not set yet
            continue
    return around


@lru_cache(maxsize=4096)
def code_digest(function: Callable[..., Any]) -> str:
    """What tells whether a function was changed: of its source where there is one, else of its code."""
    try:
        body = inspect.getsource(function)
    except (OSError, TypeError):
        body = _code(getattr(function, "__code__", None))
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _code(code: types.CodeType | None) -> str:
    if code is None:
        return ""
    constants = [_code(each) if isinstance(each, types.CodeType) else repr(each) for each in code.co_consts]
    return repr((code.co_code.hex(), code.co_names, constants))


def path_of(thing: Any) -> str:  # noqa: ANN401  a function or a class
    """Its import path, "package.module:name"; "file.py:name" of what is in a file that was run by itself."""
    module = getattr(thing, "__module__", None) or "builtins"
    name = getattr(thing, "__qualname__", type(thing).__name__)
    if module == "__main__" or module.startswith(OF_A_FILE):
        file = getattr(sys.modules.get(module), "__file__", None)
        module = str(Path(file).absolute()) if file else module
    return f"{module}:{name}"


def at_path(path: str) -> Any:  # noqa: ANN401
    """What stands at "package.module:name", or "file.py:name". Raises ValueError, in words."""
    module, colon, name = path.rpartition(":")
    if not colon or not module or not name:
        raise ValueError(f"{path!r} is no import path; it is written package.module:name or ./file.py:name")
    running = getattr(sys.modules.get("__main__"), "__file__", None)
    if module == "__main__" or (running and Path(running).absolute() == Path(module).absolute()):
        found: Any = sys.modules["__main__"]  # not a second time
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is None:
            raise ValueError(f"{path!r}: the program has no {name!r}")
        return found
    try:
        return find_object(path)
    except SpecialistError as error:
        raise ValueError(str(error).removesuffix(".")) from error
