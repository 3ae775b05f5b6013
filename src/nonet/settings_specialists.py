"""What nonet.toml can say of a specialist of the user's."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_REFERENCE = re.compile(r"[^\s:]+:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def _reference(value: str) -> str:
    if not _REFERENCE.fullmatch(value):
        raise ValueError("should be written module:object or ./file.py:object")
    return value


Reference = Annotated[str, AfterValidator(_reference)]
"""`module:object`, or `./file.py:object` beside the nonet.toml it stands in."""
Text = Annotated[str, Field(min_length=1)]


class Mcp(BaseModel):
    """An MCP server whose tools a specialist may call."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    command: list[Text] = Field(default_factory=list)
    """What starts it: ["python", "server.py"]."""
    url: Annotated[str, Field(pattern=r"^https?://[^\s/@]+\S*$")] | None = None
    """Of one that runs already (streamable HTTP). What its tools are given goes there."""
    environment: dict[str, str] = Field(default_factory=dict)
    only: list[Text] = Field(default_factory=list)
    """The tools to take. Unset: all."""

    @model_validator(mode="after")
    def _one_way(self) -> Mcp:
        if bool(self.command) == bool(self.url):
            raise ValueError("an MCP server has either a command or a url")
        return self


class Declared(BaseModel):
    """[specialists.NAME]: a specialist, or where one is."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    use: Reference | None = None
    """A specialist that is written in Python; nothing else is given then."""
    prompt: Text | None = None
    """What the model is told before the task."""
    description: str = ""
    examples: list[Text] = Field(default_factory=list)
    """Requests it should get."""
    models: list[Text] = Field(default_factory=list)
    """Its ladder, smallest first."""
    output: dict[str, Any] | None = None
    """A JSON schema of an object, or a table of fields: {total = "number", kind = ["bill", "order"]}."""
    verify: Reference | None = None
    """A function of the output and the assignment that gives checks."""
    tools: list[Reference] = Field(default_factory=list)
    """Functions that it may call."""
    mcp: list[Mcp] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:  # noqa: ANN401  what the user wrote
        """`NAME = "module:object"` is short for a table with `use`."""
        return {"use": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_kind(self) -> Declared:
        given = sorted(self.model_fields_set - {"use"})
        if self.use is not None and given:
            raise ValueError(f"what `use` names has its own {', '.join(given)}")
        if self.use is None and self.prompt is None:
            raise ValueError("a specialist has either a prompt or a `use`")
        return self
