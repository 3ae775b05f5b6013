"""What `nonet specialists` prints with --json."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from nonet.schema_base import Output


class SpecialistOut(Output):
    """One specialist."""

    model_config = ConfigDict(serialize_by_alias=True)

    name: str
    description: str
    origin: str = Field(alias="from")
    """Such as "ships with nonet", "nonet.toml", "pack nonet-faq 0.1.0"."""
    models: list[str]
    """Those it tries, smallest first, if they are installed."""


class LeftOutOut(Output):
    """A specialist that cannot be used."""

    model_config = ConfigDict(serialize_by_alias=True)

    name: str
    origin: str = Field(alias="from")
    reason: str


class SpecialistsListOut(Output):
    """`nonet specialists list`."""

    specialists: list[SpecialistOut]
    problems: list[LeftOutOut]


class SpecialistsShowOut(SpecialistOut):
    """`nonet specialists show`."""

    examples: list[str]
    """Requests it gets."""
    prompt: str | None
    """null: it is made of code."""
    output: dict[str, Any] | None
    """The JSON schema of its output. null: prose, or a schema that depends on the request."""
    tools: list[str]


SPECIALIST_OUTPUTS: dict[str, type[Output]] = {
    "specialists-list": SpecialistsListOut,
    "specialists-show": SpecialistsShowOut,
}
