"""`nonet.Workflow`: steps, checked when it is made, and the ways to run them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from nonet.graphs.workflow.binding import bound
from nonet.graphs.workflow.checking import Checked, check
from nonet.graphs.workflow.definition import NAME, InputDefinition, WorkflowDefinition
from nonet.graphs.workflow.making import step_of
from nonet.graphs.workflow.place import Place, of_caller, users_frame, wrong
from nonet.graphs.workflow.signatures import Parameter
from nonet.graphs.workflow.step import Step, StepOptions
from nonet.graphs.workflow.typenames import text_of
from nonet.graphs.workflow.values import ValueType
from nonet.graphs.workflow.ways import Runs

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.graph.state import CompiledStateGraph
    from langgraph.store.base import BaseStore

    from nonet.graphs.session import Session
    from nonet.specialists import Specialist
    from nonet.specialists.own import PromptSpecialist

T = TypeVar("T")
U = TypeVar("U")


class Workflow(Runs[T]):
    """Steps and what they read of one another. What no step is called is an input.

    Args:
        name: what it is called in runs and on the command line.
        steps: in any order; more can be added with `add`.
        output: the step whose output is the workflow's. Unset: the only one that no other reads.
        inputs: name -> type, to have them checked when the workflow is made; else they are found by what steps read.
        description: in one line.
        place: where it was written. Unset: the line that makes it.

    Raises:
        WorkflowError: a cycle, an unknown name or specialist, types that do not fit; names the step and its line.

    Example:
        >>> import nonet
        >>> @nonet.step
        ... def words(text: str) -> list[str]:
        ...     return text.split()
        >>> @nonet.step
        ... def count(words: list[str]) -> int:
        ...     return len(words)
        >>> flow = nonet.Workflow("count", [words, count], output=count)
        >>> flow.run({"text": "three small words"}, runtime="scripted", db=tmp / "count.db").output
        3
    """

    @overload
    def __init__(
        self: Workflow[U],
        name: str,
        steps: Sequence[Step[..., Any, Any]] = ...,
        *,
        output: Step[..., Any, U],
        inputs: Mapping[str, Any] | None = ...,
        description: str = ...,
        place: Place | None = ...,
    ) -> None: ...
    @overload
    def __init__(
        self: Workflow[Any],
        name: str,
        steps: Sequence[Step[..., Any, Any]] = ...,
        *,
        output: str | None = ...,
        inputs: Mapping[str, Any] | None = ...,
        description: str = ...,
        place: Place | None = ...,
    ) -> None: ...
    def __init__(
        self,
        name: str,
        steps: Sequence[Step[..., Any, Any]] = (),
        *,
        output: Step[..., Any, Any] | str | None = None,
        inputs: Mapping[str, Any] | None = None,
        description: str = "",
        place: Place | None = None,
    ) -> None:
        self.place: Place | None = place or of_caller()
        frame = users_frame()
        self.module: str = "" if frame is None or place is not None else str(frame.f_globals.get("__name__", ""))
        """Of the line that made it; empty where that is no Python."""
        if not NAME.fullmatch(name):
            raise wrong(
                f"A workflow cannot be called {name!r}: a name is a letter, then letters, digits or _", self.place
            )
        self.name = name
        self.description = description
        self._steps = list(steps)
        self._output = output.name if isinstance(output, Step) else output
        self._inputs = None if inputs is None else {key: _parameter(key, said) for key, said in inputs.items()}
        self._checked: Checked | None = None
        if self._steps:
            self.checked()

    @classmethod
    def from_definition(
        cls, definition: WorkflowDefinition, *, places: Mapping[str, Place] | None = None, place: Place | None = None
    ) -> Workflow[Any]:
        """Make one of its data: functions and types are imported by their paths.

        Args:
            places: by the name of a step, where it was written; a step of a workflow that is a step goes by
                "outer.inner".
            place: where the whole was written.

        Raises:
            WorkflowError: as the constructor; also for what cannot be imported.
        """
        return bound(cls, definition, places or {}, place)

    @classmethod
    def from_yaml(cls, path: str | PathLike[str]) -> Workflow[Any]:
        """Read one from a file (docs/workflow_yaml.md). Raises WorkflowError, with the line and column."""
        from nonet.graphs.workflow.files import read_definition  # noqa: PLC0415  imports YAML

        definition, places, place = read_definition(Path(path))
        return cls.from_definition(definition, places=places, place=place)

    def to_yaml(self) -> str:
        """The text of a file that makes the same workflow.

        Raises:
            WorkflowError: a function of it stands where no file can name it.
        """
        from nonet.graphs.workflow.files import write_workflow  # noqa: PLC0415  imports YAML

        return write_workflow(self)

    @overload
    def add(
        self,
        name: str,
        *,
        specialist: str | Specialist,
        instruction: str,
        output: type[U],
        **options: Unpack[StepOptions],
    ) -> Step[..., str, U]: ...
    @overload
    def add(  # type: ignore[overload-overlap]  # the narrower kind comes first
        self, name: str, *, specialist: PromptSpecialist[U], instruction: str, **options: Unpack[StepOptions]
    ) -> Step[..., str, U]: ...
    @overload
    def add(
        self, name: str, *, specialist: str | Specialist, instruction: str, **options: Unpack[StepOptions]
    ) -> Step[..., str, str]: ...
    @overload
    def add(
        self, name: str, *, function: Callable[..., U], each: None = ..., **options: Unpack[StepOptions]
    ) -> Step[..., U, U]: ...
    @overload
    def add(
        self, name: str, *, workflow: Workflow[U], each: None = ..., **options: Unpack[StepOptions]
    ) -> Step[..., Any, U]: ...
    @overload
    def add(
        self,
        name: str,
        *,
        specialist: str | Specialist | None = ...,
        function: Callable[..., Any] | None = ...,
        workflow: Workflow[Any] | None = ...,
        instruction: str | None = ...,
        output: Any = ...,  # noqa: ANN401
        each: str,
        **options: Unpack[StepOptions],
    ) -> Step[..., Any, list[Any]]: ...
    def add(
        self,
        name: str,
        *,
        specialist: str | Specialist | None = None,
        function: Callable[..., Any] | None = None,
        workflow: Workflow[Any] | None = None,
        instruction: str | None = None,
        output: Any = None,
        each: str | None = None,
        **options: Unpack[StepOptions],
    ) -> Step[..., Any, Any]:
        """Add a step, and give it: the builder, for graphs that are made at run time.

        Args:
            name: of the step.
            specialist: who does it, with an `instruction` or a `function` that writes one.
            function: a Python function.
            workflow: another workflow, run as one step.
            instruction: for the specialist; `{name}` stands for the output of a step, or an input.
            output: the type of a specialist's output.
            each: "item in items": once for every item of that list.
            options: as StepOptions.

        Raises:
            WorkflowError: it cannot be a step of this workflow. What other steps it reads is looked at by `check`.
        """
        made = step_of(
            function,
            specialist=specialist,
            workflow=workflow,
            instruction=instruction,
            returns=output,
            each=each,
            place=of_caller(),
            name=name,
            **options,
        )
        for other in self._steps:
            if other.name == name:
                raise made.wrong(f"Two steps are called {name!r}; the other is at {other.place}")
        self._steps.append(made)
        self._checked = None
        return made

    def checked(self) -> Checked:
        """The workflow as it is run. Raises WorkflowError for what is wrong with the whole."""
        if self._checked is None:
            self._checked = check(self.name, self._steps, output=self._output, declared=self._inputs, place=self.place)
        return self._checked

    @property
    def steps(self) -> tuple[Step[..., Any, Any], ...]:
        """In an order in which each reads earlier ones only."""
        return tuple(self.checked().steps.values())

    @property
    def inputs(self) -> Mapping[str, Parameter]:
        """What it is given, by name."""
        return self.checked().inputs

    @property
    def definition(self) -> WorkflowDefinition:
        """The whole as data, which a file can hold."""
        checked = self.checked()
        return WorkflowDefinition(
            name=self.name,
            description=self.description,
            inputs={name: _input(each) for name, each in checked.inputs.items()},
            steps=tuple(each.definition for each in checked.steps.values()),
            output=checked.output,
        )

    def identity(self) -> dict[str, Any]:
        """What makes it the same workflow in another process: compared when a run goes on."""
        checked = self.checked()
        return {
            "name": self.name,
            "inputs": {name: {"type": each.type.name} for name, each in checked.inputs.items()},
            "steps": {name: each.identity() for name, each in checked.steps.items()},
            "output": checked.output,
        }

    @property
    def graph(self) -> CompiledStateGraph[Any, Any, Any, Any]:
        """The workflow as a compiled LangGraph graph, with the settings as they are found; `compile` takes others."""
        return self.compile()

    def compile(
        self,
        *,
        session: Session | None = None,
        checkpointer: BaseCheckpointSaver[Any] | bool | None = None,
        store: BaseStore | None = None,
        **settings: Any,  # noqa: ANN401
    ) -> CompiledStateGraph[Any, Any, Any, Any]:
        """A LangGraph graph: a node a step, references in its state, content in nonet's store.

        Args:
            session: where it runs; without one, a session of the settings that is kept open with its event loop.
            checkpointer: any of LangGraph's; needed for steps with `approve`, which interrupt.
            store: any of LangGraph's, for nodes of your own around it.
            settings: as in nonet.toml.
        """
        from nonet.graphs.workflow.compiled import compile_workflow  # noqa: PLC0415  imports LangGraph

        return compile_workflow(self, session=session, settings=settings, checkpointer=checkpointer, store=store)

    def mermaid(self) -> str:
        """The graph as Mermaid text."""
        return self.graph.get_graph().draw_mermaid()

    def png(self) -> bytes:
        """A picture of its steps and of what they read, drawn on this machine. Raises ResourceError without Pillow."""
        from nonet.graphs.workflow.picture import png  # noqa: PLC0415

        return png(self)


def _parameter(name: str, said: Any) -> Parameter:  # noqa: ANN401
    """An input as it was declared: a type, or a Parameter."""
    return said if isinstance(said, Parameter) else Parameter(name, ValueType(said))


def _input(parameter: Parameter) -> InputDefinition:
    try:
        said = text_of(parameter.type)
    except TypeError:
        said = "any"
    default = None
    if not parameter.required:
        default = parameter.type.adapter.dump_python(parameter.default, mode="json", warnings=False)
    return InputDefinition(type=said, required=parameter.required, default=default)
