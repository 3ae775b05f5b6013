"""What runs inside the sandbox around the code under test. Nothing of nonet can be imported here.

Three programs are made of this file's text. `run_tests` loads the code, runs every test and writes down what each call
of the tested functions returned. `judge` runs the same tests where the code was never loaded, its functions replaced
by what was written down: so a pass is decided by values, and an object that calls itself equal to everything, a
patched builtin or an early exit wins nothing. What cannot be replayed (classes, changed arguments) keeps the first
verdict, which a program could forge by patching builtins or by finding the nonce in the frames of its own process; an
object where a plain value is expected is told as `opaque`, because it may decide its own equality. `observe` calls the
functions and tells what came of it.

Every report is a line on the real standard output: the nonce, a blank, and a literal. The code's own prints go to
standard error.
"""

from __future__ import annotations

import builtins
import os
import sys
import types

TYPE_CHECKING = False  # what `typing` calls so; each import here costs every run
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

_LINES: list[str] = []
"""Of the code under test."""

_DEEPEST = 30
_MOST_BYTES = 8000
"""Of one test's transcript; longer ones are not replayed."""


_MOST_LINES = 200_000
_MOST_ITEMS = 100
"""Of a generator."""
_FLOATS = 10**9
"""Below it an integer is written as a float would be."""


class _TooLong(BaseException):
    """A call took too many lines."""


class _NotPlain(Exception):  # noqa: N818 - never leaves this file
    """A value that cannot be written down as a literal."""


class _Reporter:
    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        self._descriptor = os.dup(1)
        # From here on, what the code prints cannot mix with the reports.
        os.dup2(2, 1)

    def tell(self, report: dict[str, Any]) -> None:
        os.write(self._descriptor, f"{self._nonce} {report!r}\n".encode(errors="backslashreplace"))


def run_tests(code: str, tests: list[tuple[str, list[str]]], nonce: str) -> None:
    """Load `code`, run `tests` (source, names it takes from the code) one by one, report each; ends the process."""
    reporter = _Reporter(nonce)
    module = types.ModuleType("program")
    sys.modules["program"] = module
    _LINES[:] = code.splitlines()
    # Taken before the code can change them.
    leave, describe, flush = os._exit, _describe, sys.stderr.flush
    try:
        exec(compile(code, "program.py", "exec", dont_inherit=True), module.__dict__)  # noqa: S102
    except BaseException as error:  # noqa: BLE001 - SystemExit too: code to be tested must not end the test
        reporter.tell({"loaded": False, "error": describe(error)})
        leave(1)
    reporter.tell({"loaded": True})
    for index, (test, functions) in enumerate(tests):
        recorder = _Recorder(module, functions)
        names = {name: module.__dict__[name] for name in functions if name in module.__dict__}
        names.update(recorder.wrapped())
        report = _run_one(test, names)
        opaque = _decides_itself(names) if "got_" in names else recorder.objects
        calls = recorder.transcript()
        reporter.tell(
            {"test": index, **report, "opaque": opaque, "replayable": calls is not None, "calls": calls or []}
        )
    reporter.tell({"end": True})
    flush()
    leave(0)


def judge(tests: list[tuple[int, str, list[Any]]], nonce: str) -> None:
    """Run tests on what their functions were seen to return; reports as `run_tests` does."""
    reporter = _Reporter(nonce)
    for index, test, calls in tests:
        replay = _Replay(calls)
        report = _run_one(test, {name: replay.function(name) for name in {call[0] for call in calls}})
        if report["passed"] and replay.left():
            report = {"passed": False, "error": "the calls differ from those of the first run"}
        reporter.tell({"test": index, **report})
    reporter.tell({"end": True})


def observe(code: str, calls: list[tuple[str, str]], nonce: str) -> None:
    """Load `code`, make `calls` (function, a literal of its arguments), report what each gave; ends the process."""
    reporter = _Reporter(nonce)
    module = types.ModuleType("program")
    sys.modules["program"] = module
    leave, count = os._exit, _Counter()
    try:
        exec(compile(code, "program.py", "exec", dont_inherit=True), module.__dict__)  # noqa: S102
    except BaseException:  # noqa: BLE001 - as in run_tests
        leave(1)
    for index, (name, arguments) in enumerate(calls):
        positional, named = eval(arguments, {"__builtins__": {"set": set}})  # noqa: S307 - a literal of ours
        call = (module.__dict__.get(name, _missing), positional, named)
        reporter.tell({"call": index, "gave": count.limited(lambda: _gave(*call))})  # noqa: B023 - called at once
    reporter.tell({"end": True})
    leave(0)


def _missing(*_arguments: object, **_named: object) -> object:
    raise NameError


def _gave(function: Callable[..., object], positional: tuple[object, ...], named: dict[str, object]) -> str:
    """What a call returns, or changes where it returns nothing, written down so that equal values are the same text."""
    value = function(*positional, **named)
    if isinstance(value, types.GeneratorType):
        value = [item for item, _ in zip(value, range(_MOST_ITEMS), strict=False)]
    return _same(_plain((positional, named) if value is None else value))


def _same(value: object) -> str:
    """1, 1.0 and True are equal, a set and a dictionary have no order, and what differs in the tenth digit is equal."""
    if isinstance(value, (bool, int, float)):
        return f"{value:.9g}" if isinstance(value, float) or abs(value) < _FLOATS else str(value)
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__}({', '.join(map(_same, value))})"
    if isinstance(value, set):
        return f"set({', '.join(sorted(map(_same, value)))})"
    if isinstance(value, dict):
        return f"dict({', '.join(sorted(f'{_same(key)}: {_same(item)}' for key, item in value.items()))})"
    return repr(value)


class _Counter:
    """Ends a call after so many lines of code: by a count and not by the clock, so that it ends alike everywhere."""

    def __init__(self) -> None:
        self._left = 0

    def limited(self, call: Callable[[], str]) -> str:
        """What it gave: a value, "raised", or "" where it did not end or gave what cannot be compared."""
        self._left = _MOST_LINES
        sys.settrace(self._trace)
        try:
            return call()
        except (_NotPlain, _TooLong):
            return ""
        except BaseException:  # noqa: BLE001 - whatever it raised
            return "raised"
        finally:
            sys.settrace(None)

    def _trace(self, _frame: object, _event: str, _argument: object) -> Any:  # noqa: ANN401 - typeshed wants itself
        self._left -= 1
        if self._left < 0:
            raise _TooLong
        return self._trace


def _run_one(test: str, names: dict[str, Any]) -> dict[str, Any]:
    """Tests put what they got into `got_` and what they want into `expected_` before they compare."""
    names["__name__"] = "test"
    try:
        exec(compile(test, "test", "exec", dont_inherit=True), names)  # noqa: S102
    except BaseException as error:  # noqa: BLE001 - whatever it raised, the test failed
        report = {"passed": False, "error": _describe(error)}
        for key in ("got_", "expected_"):
            if key in names:
                report[key] = _short(names[key])
        return report
    return {"passed": True, "error": ""}


def _decides_itself(names: dict[str, Any]) -> bool:
    return _is_plain(names.get("expected_")) and not _is_plain(names["got_"])


def _short(value: object) -> str:
    try:
        text = repr(value)
    except BaseException as error:  # noqa: BLE001 - a repr of the code under test
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    return text if len(text) <= 200 else text[:150] + " ... " + text[-40:]  # noqa: PLR2004


def _describe(error: BaseException) -> str:
    """The kind, the message, and the last line of the code it went through."""
    frame, line = error.__traceback__, 0
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == "program.py":
            line = frame.tb_lineno
        frame = frame.tb_next
    if isinstance(error, SyntaxError) and error.filename == "program.py":
        line = error.lineno or 0
    try:
        message = str(error)
    except BaseException:  # noqa: BLE001 - a message of the code under test
        message = ""
    text = type(error).__name__ + (f": {message[:200]}" if message else "")
    source = _LINES[line - 1].strip() if 0 < line <= len(_LINES) else ""
    return text + (f" (line {line}: {source[:100]})" if source else "")


def _plain(value: object, depth: int = 0) -> object:
    """The value in builtin types only. Raises _NotPlain for anything that has behaviour of its own."""
    kind = type(value)
    if value is None or kind in (bool, int, str, bytes):
        return value
    if depth > _DEEPEST:
        raise _NotPlain
    # Infinities and nan have no literal.
    if isinstance(value, (float, complex)) and kind in (float, complex):
        if not all(abs(part) < float("inf") for part in (value.real, value.imag)):
            raise _NotPlain
        return value
    if isinstance(value, (list, tuple, set)) and kind in (list, tuple, set):
        return kind(_plain(item, depth + 1) for item in value)
    if isinstance(value, dict) and (kind is dict or kind.__module__ == "collections"):
        return {_plain(key, depth + 1): _plain(item, depth + 1) for key, item in dict.items(value)}
    raise _NotPlain


def _literal(value: object) -> str:
    try:
        return repr(_plain(value))
    except ValueError as error:
        # An integer too long to be written.
        raise _NotPlain from error


def _is_plain(value: object) -> bool:
    try:
        _literal(value)
    except _NotPlain:
        return False
    return True


class _Recorder:
    """Writes down the calls that a test makes of the functions under test."""

    def __init__(self, module: types.ModuleType, functions: list[str]) -> None:
        self._functions = {
            name: function
            for name in functions
            if isinstance(function := module.__dict__.get(name), types.FunctionType)
        }
        self._calls: list[tuple[str, str, str]] = []
        self._yields: dict[int, list[object]] = {}
        self.objects = False
        """Whether a function returned something that is no plain value."""
        self._replayable = len(self._functions) == len(functions)

    def wrapped(self) -> dict[str, Any]:
        return {name: self._wrap(name, function) for name, function in self._functions.items()}

    def transcript(self) -> list[tuple[str, str, str]] | None:
        """(function, "returned", "yielded" or an exception's name, literal); None where a replay would differ."""
        for index, items in self._yields.items():
            name, how, _ = self._calls[index]
            self._calls[index] = (name, how, self._written(items))
        if not self._replayable or sum(len(call[2]) for call in self._calls) > _MOST_BYTES:
            return None
        return self._calls

    def _wrap(self, name: str, function: types.FunctionType) -> Callable[..., object]:
        def recorded(*args: object, **kwargs: object) -> object:
            before = self._written((args, kwargs))
            try:
                value = function(*args, **kwargs)
            except Exception as error:
                kind = type(error)
                self._replayable &= getattr(builtins, kind.__name__, None) is kind
                self._calls.append((name, kind.__name__, self._written(error.args)))
                raise
            if isinstance(value, types.GeneratorType):
                self._calls.append((name, "yielded", ""))
                return self._listen(value, len(self._calls) - 1)
            self._calls.append((name, "returned", self._written(value)))
            # Only classes written in Python can be dressed up: the others carry Py_TPFLAGS_IMMUTABLETYPE.
            self.objects |= not self._calls[-1][2] and not type(value).__flags__ & 1 << 8
            # An argument that was changed is part of the result, and would be missing from a replay.
            self._replayable &= before == self._written((args, kwargs))
            return value

        return recorded

    def _listen(self, generator: Iterable[object], call: int) -> Iterator[object]:
        """As lazy as the generator itself, which may have no end."""
        items = self._yields.setdefault(call, [])
        for item in generator:
            items.append(item)
            yield item

    def _written(self, value: object) -> str:
        try:
            return _literal(value)
        except _NotPlain:
            self._replayable = False
            return ""


class _Replay:
    """Functions that return what was written down, in the order of the first run."""

    def __init__(self, calls: list[Any]) -> None:
        self._calls = list(calls)

    def left(self) -> int:
        return len(self._calls)

    def function(self, name: str) -> Callable[..., object]:
        def replayed(*_args: object, **_kwargs: object) -> object:
            if not self._calls or self._calls[0][0] != name:
                raise AssertionError("the calls differ from those of the first run")
            _, how, value = self._calls.pop(0)
            if how in ("returned", "yielded"):
                return value if how == "returned" else iter(value)
            raise getattr(builtins, how)(*value)

        return replayed
