"""Writes the reference parts of cli.md, json.md and settings.md from the program. Run it with nonet installed."""
# ruff: noqa: INP001  a script beside the pages it writes

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import Any

from nonet.app import app
from nonet.cli import main
from nonet.schema import OUTPUTS
from nonet.settings import ENV_PREFIX, Settings
from nonet.text import to_json

DOCS = Path(__file__).parent
MARK = "<!-- Everything below is written by docs/generate.py. -->\n"
COLUMNS = "100"


def command_paths() -> list[tuple[str, ...]]:
    """Every command there is: ("run",), ("docs", "add"), ..."""
    paths: list[tuple[str, ...]] = [(_name_of(each.name, each.callback),) for each in app.registered_commands]
    for group in app.registered_groups:
        inner = group.typer_instance
        assert inner is not None
        paths += [(str(group.name), _name_of(each.name, each.callback)) for each in inner.registered_commands]
    return sorted(paths)


def _name_of(name: str | None, callback: object) -> str:
    """As Typer derives it."""
    return name or getattr(callback, "__name__", "").replace("_", "-")


def help_of(path: tuple[str, ...]) -> str:
    """What `nonet ... --help` prints."""
    os.environ["COLUMNS"] = COLUMNS
    written = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(written):
        status = main([*path, "--help"])
    assert status == 0
    written.seek(0)
    return "\n".join(line.rstrip() for line in written.read().strip().splitlines())


def commands() -> str:
    """The generated part of cli.md."""
    parts = [f"\n## nonet\n\n```text\n{help_of(())}\n```\n"]
    parts += [f"\n## nonet {' '.join(path)}\n\n```text\n{help_of(path)}\n```\n" for path in command_paths()]
    return "".join(parts)


def settings() -> str:
    """The generated part of settings.md."""
    rows = ["\n| key | variable | default | meaning |\n|---|---|---|---|\n"]
    for key, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = "unset" if default is None else f"`{to_json(default)}`"
        rows.append(f"| `{key}` | `{ENV_PREFIX}{key.upper()}` | {shown} | {_inline(field.description)} |\n")
    return "".join(rows)


def outputs() -> str:
    """The generated part of json.md."""
    parts = []
    for name, model in OUTPUTS.items():
        schema = model.model_json_schema()
        parts.append(f"\n## {name}\n\n{_inline(model.__doc__)}\n\n{_keys(schema)}")
        for inner, inner_schema in schema.get("$defs", {}).items():
            parts.append(f"\n`{inner.removesuffix('Out')}`: {_inline(inner_schema.get('description'))}\n\n")
            parts.append(_keys(inner_schema))
    return "".join(parts)


def _keys(schema: dict[str, Any]) -> str:
    rows = ["| key | type | |\n|---|---|---|\n"]
    for key, value in schema["properties"].items():
        rows.append(f"| `{key}` | {_type(value)} | {_inline(value.get('description'))} |\n")
    return "".join(rows)


def _type(value: dict[str, Any]) -> str:
    if "$ref" in value:
        return f"`{value['$ref'].rpartition('/')[2].removesuffix('Out')}`"
    if "anyOf" in value:
        return " or ".join(_type(each) for each in value["anyOf"])
    if "enum" in value:
        return ", ".join(f'"{each}"' for each in value["enum"])
    if value.get("type") == "array":
        return f"list of {_type(value['items'])}"
    if value.get("type") == "object" and isinstance(value.get("additionalProperties"), dict):
        return f"object of {_type(value['additionalProperties'])}"
    return str(value.get("type", "any"))


def _inline(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


PAGES = {"cli.md": commands, "json.md": outputs, "settings.md": settings}

if __name__ == "__main__":
    for page, generate in PAGES.items():
        path = DOCS / page
        head, _, _ = path.read_text(encoding="utf-8").partition(MARK)
        path.write_text(head + MARK + generate(), encoding="utf-8")
