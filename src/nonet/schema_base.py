"""What all outputs share."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

VerdictName = Literal["verified", "unverified", "failed"]


class Output(BaseModel):
    """An object on standard output. More keys may appear in later releases."""

    model_config = ConfigDict(extra="allow", strict=True, use_attribute_docstrings=True)
