"""`nonet.step`: the decorator that makes a step of a function, with the types that an editor completes by."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, Unpack, overload

from nonet.graphs.workflow.making import DecoratorOptions, step_of
from nonet.graphs.workflow.place import of_caller, of_function
from nonet.graphs.workflow.step import Step

if TYPE_CHECKING:
    from nonet.specialists import Specialist
    from nonet.specialists.own import PromptSpecialist

P = ParamSpec("P")
T = TypeVar("T")


@overload
def step(function: Callable[P, Coroutine[Any, Any, T]], /) -> Step[P, Coroutine[Any, Any, T], T]: ...
@overload
def step(function: Callable[P, T], /) -> Step[P, T, T]: ...
@overload
def step(
    *, specialist: str | Specialist, returns: type[T], each: str, **options: Unpack[DecoratorOptions]
) -> Callable[[Callable[P, str]], Step[P, str, list[T]]]: ...
@overload
def step(  # type: ignore[overload-overlap]  # the narrower kind comes first
    *, specialist: PromptSpecialist[T], each: str, **options: Unpack[DecoratorOptions]
) -> Callable[[Callable[P, str]], Step[P, str, list[T]]]: ...
@overload
def step(  # type: ignore[overload-overlap]
    *, specialist: PromptSpecialist[T], **options: Unpack[DecoratorOptions]
) -> Callable[[Callable[P, str]], Step[P, str, T]]: ...
@overload
def step(
    *, specialist: str | Specialist, each: str, **options: Unpack[DecoratorOptions]
) -> Callable[[Callable[P, str]], Step[P, str, list[str]]]: ...
@overload
def step(
    *, specialist: str | Specialist, returns: type[T], **options: Unpack[DecoratorOptions]
) -> Callable[[Callable[P, str]], Step[P, str, T]]: ...
@overload
def step(
    *, specialist: str | Specialist, **options: Unpack[DecoratorOptions]
) -> Callable[[Callable[P, str]], Step[P, str, str]]: ...
@overload
def step(*, each: str, **options: Unpack[DecoratorOptions]) -> _EachDecorator: ...
@overload
def step(**options: Unpack[DecoratorOptions]) -> _Decorator: ...
def step(
    function: Callable[..., Any] | None = None,
    /,
    *,
    specialist: str | Specialist | None = None,
    returns: Any = None,
    each: str | None = None,
    **options: Unpack[DecoratorOptions],
) -> Any:
    """Make a function a step of workflows. Its parameters name the steps and inputs that it reads.

    Args:
        function: sync (run in a thread) or async; with `specialist` it writes the instruction.
        specialist: who does the step: the name of one, or an object.
        returns: the type of the specialist's output: the model is constrained to it, and the answer is checked. Unset:
            that of a specialist of yours which is given as an object, or str.
        each: "item in items": once for every item of a list; the output is the list of the outputs.
        options: as DecoratorOptions.

    Raises:
        WorkflowError: it cannot be a step; names the line.

    Example:
        >>> import nonet
        >>> @nonet.step
        ... def words(text: str) -> list[str]:
        ...     return text.split()
        >>> words("a step is still a function")
        ['a', 'step', 'is', 'still', 'a', 'function']
    """
    if function is not None:
        return step_of(function, place=of_function(function))
    place = of_caller()

    def decorate(function: Callable[..., Any]) -> Step[..., Any, Any]:
        return step_of(
            function,
            specialist=specialist,
            returns=returns,
            each=each,
            place=of_function(function) or place,
            **options,
        )

    return decorate


if TYPE_CHECKING:
    from typing import Protocol

    class _Decorator(Protocol):
        @overload
        def __call__(self, function: Callable[P, Coroutine[Any, Any, T]], /) -> Step[P, Coroutine[Any, Any, T], T]: ...
        @overload
        def __call__(self, function: Callable[P, T], /) -> Step[P, T, T]: ...

    class _EachDecorator(Protocol):
        @overload
        def __call__(
            self, function: Callable[P, Coroutine[Any, Any, T]], /
        ) -> Step[P, Coroutine[Any, Any, T], list[T]]: ...
        @overload
        def __call__(self, function: Callable[P, T], /) -> Step[P, T, list[T]]: ...
