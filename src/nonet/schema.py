"""What `--json` prints, as pydantic models and as JSON schemas. Keys may be added, none is renamed or removed."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from nonet.schema_base import Output
from nonet.schema_batch import BATCH_OUTPUTS
from nonet.schema_docs import DOCS_OUTPUTS
from nonet.schema_eval import EVAL_OUTPUTS
from nonet.schema_models import MODEL_OUTPUTS
from nonet.schema_run import RUN_OUTPUTS
from nonet.schema_runs import RUNS_OUTPUTS
from nonet.schema_scheduler import SCHEDULER_OUTPUTS
from nonet.schema_specialists import SPECIALIST_OUTPUTS
from nonet.schema_workflow import WORKFLOW_OUTPUTS


class SettingOut(Output):
    """A setting and where it comes from."""

    model_config = ConfigDict(serialize_by_alias=True)

    value: Any
    source: str = Field(alias="from")


class ConfigOut(Output):
    """`nonet config`."""

    settings: dict[str, SettingOut]
    files: list[str]


class ProblemOut(Output):
    """What happened, what was kept, what to do next."""

    kind: str
    message: str
    kept: str
    next_step: str


class ErrorOut(Output):
    """Any command that could not do its work."""

    error: ProblemOut


OUTPUTS: dict[str, type[Output]] = {
    **RUN_OUTPUTS,
    **WORKFLOW_OUTPUTS,
    **DOCS_OUTPUTS,
    **BATCH_OUTPUTS,
    **RUNS_OUTPUTS,
    **SCHEDULER_OUTPUTS,
    **MODEL_OUTPUTS,
    **SPECIALIST_OUTPUTS,
    **EVAL_OUTPUTS,
    "config": ConfigOut,
    "error": ErrorOut,
}
"""By the name that `nonet schema` takes."""


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON schema (draft 2020-12) of every output."""
    return {name: output.model_json_schema() for name, output in OUTPUTS.items()}
