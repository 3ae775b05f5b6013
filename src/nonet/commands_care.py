"""`nonet config` and `nonet schema`."""

from __future__ import annotations

from nonet.door import open_door
from nonet.errors import UsageError
from nonet.render import columns, print_lines, text
from nonet.terminal import emit, out, say
from nonet.text import to_json

WORKFLOW_FILE = "workflow-file"


def config(*, json: bool) -> int:
    """Every setting, its value, and where the value comes from."""
    loaded = open_door({}).loaded
    values = loaded.settings.model_dump(mode="json")
    values["db"] = str(loaded.settings.database_path())
    values["cache_dir"] = str(loaded.settings.cache_path())
    if json:
        settings = {key: {"value": value, "from": loaded.origins.get(key, "default")} for key, value in values.items()}
        emit({"settings": settings, "files": [str(path) for path in loaded.files]})
        return 0
    rows = [
        [
            key,
            "-" if value is None else value if isinstance(value, str) else to_json(value),
            loaded.origins.get(key, ""),
        ]
        for key, value in values.items()
    ]
    print_lines([text(("Settings", "bold")), *columns(rows, ("cyan", "", "dim"))])
    say("Read: " + (", ".join(str(path) for path in loaded.files) or "no nonet.toml was found") + ".")
    return 0


def schema(name: str | None) -> int:
    """The JSON schemas of what `--json` prints, or that of a workflow's file."""
    from nonet.schema import schemas  # noqa: PLC0415

    all_of_them = schemas()
    if name == WORKFLOW_FILE:
        from nonet.graphs.workflow.files import file_schema  # noqa: PLC0415

        out(to_json(file_schema(), indent=2))
        return 0
    if name is None:
        out(to_json(all_of_them, indent=2))
        return 0
    if name not in all_of_them:
        raise UsageError(
            f"There is no output {name!r}.", next_step=f"There are: {', '.join(all_of_them)}, {WORKFLOW_FILE}."
        )
    out(to_json(all_of_them[name], indent=2))
    return 0
