"""What a user can set, and where each value came from.

Precedence: a flag, the environment (`NONET_*`), `nonet.toml` in this folder or one above, `nonet.toml` in the user's
configuration folder, the default. An unknown key is an error anywhere, so that a typing slip is never a silent default.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic_settings
from platformdirs import user_cache_path, user_config_path, user_data_path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from nonet.errors import SettingsError
from nonet.moments import moment
from nonet.settings_specialists import Declared

FILE_NAME = "nonet.toml"
ENV_PREFIX = "NONET_"
ALL_COLLECTIONS = "*"
"""Instead of a collection's name."""

Positive = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _moment(value: Any) -> Any:  # noqa: ANN401  what the user wrote
    """TOML has dates of its own; kept as text, which every form of the settings can hold."""
    text = value.isoformat() if isinstance(value, date) else value
    if isinstance(text, str) and text:
        moment(text)
    return text


Moment = Annotated[str, BeforeValidator(_moment)]


class Remote(BaseModel):
    """A remote or larger model: the last rung of a specialist's ladder, tried when every other failed its checks."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    kind: Literal["openai", "ollama"]
    """An OpenAI-compatible endpoint, or another Ollama server."""
    url: Annotated[str, Field(pattern=r"^https?://[^\s/@]+\S*$")]
    """Of the endpoint, up to /chat/completions: https://api.example.com/v1; or of the Ollama server."""
    model: Annotated[str, Field(min_length=1)]
    key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """The environment variable that holds its key; the key itself never stands in the settings."""
    context_tokens: Annotated[int, Field(ge=256)] = 8192


class Settings(BaseSettings):
    """All settings, validated and frozen. `Settings(...)` takes only what it is given; `load()` reads the layers."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    runtime: Literal["auto", "ollama", "embedded", "scripted"] = "auto"
    """What serves the models. "auto" takes Ollama if it answers, else the embedded runtime."""
    ollama_host: str | None = None
    """Address of the Ollama server. Unset: OLLAMA_HOST, else http://127.0.0.1:11434."""
    ollama_hosts: list[str] = Field(default_factory=list)
    """Addresses of several Ollama servers that share the work, the first as the main one. Takes ollama_host's place."""
    model: str | None = None
    """One chat model for every specialist. Unset: each specialist has its own ladder."""
    models: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(default_factory=dict)
    """The ladder of a specialist, smallest model first: models.code = ["qwen2.5-coder:0.5b"]."""
    planner: Literal["auto", "rules", "stepwise", "one-shot"] = "auto"
    """How tasks are planned. "auto": by rules, and by a model where `nonet doctor --deep` has seen it do better."""
    planner_model: str | None = None
    """The model that plans, where one does. Unset: of the specialists' models the one that was measured to do best."""
    remote: dict[str, Remote] = Field(default_factory=dict)
    """A remote model for a specialist, tried last: [remote.code] with kind, url, model, key_env. What leaves the
    machine is redacted and kept. Unset: nothing leaves."""
    specialists: dict[str, Declared] = Field(default_factory=dict)
    """Specialists of yours: [specialists.NAME] with prompt, examples, models, output, verify, tools, mcp; or NAME =
    "module:object"."""
    workflows: dict[str, str] = Field(default_factory=dict)
    """Workflows of yours, by the name that `nonet run --workflow` takes: workflows.triage = "./flows.py:triage"."""
    embed_model: str | None = None
    """The model that routes requests and embeds documents. Unset: all-minilm:l6-v2 if it is there."""
    rerank_model: str | None = None
    """The chat model that judges what `nonet docs search` found, as `--rerank` does. Unset: none does; a 0.5B model was
    measured to do harm."""
    collection: str | None = None
    """The collection of this project: `nonet docs add` puts documents into it, and runs and searches find those of it
    alone. Unset: documents get none, and all are searched, as "*" says for one command."""
    only_type: str | None = None
    """Runs and searches find documents of this suffix or media type alone: pdf, markdown, text/. Unset: all."""
    only_path: str | None = None
    """Runs and searches find documents whose path or name is like this pattern alone: "*/reports/*". Unset: all."""
    only_since: Moment | None = None
    """Runs and searches find documents that were written then or later alone: "2024-05-31". Unset: all."""
    only_until: Moment | None = None
    """Runs and searches find documents that were written before then alone. Unset: all."""
    search_rounds: Annotated[int, Field(ge=0, le=10)] = 1
    """How often one question that the first passages leave open is searched further by the names in what was found, at
    most: each round is up to twelve searches, and no call."""
    light: bool = False
    """Only the smallest model, for slow machines and little memory."""
    db: Path | None = None
    """The database, one SQLite file. Unset: nonet.db in the user's data folder."""
    cache_dir: Path | None = None
    """The folder of the downloaded models itself. Unset: `nonet/models` in the user's cache folder, shared between
    environments."""
    context_tokens: Annotated[int, Field(ge=256)] = 4096
    """The window each model is served with, prompt and answer together. Unset: chosen once a model, from 1024 to 8192,
    by its own limit, this machine's memory and, where `nonet doctor` has measured it, how fast it reads."""
    max_completion_tokens: Positive = 768
    """The longest answer of one call."""
    max_subtasks: Annotated[int, Field(ge=1, le=999)] = 12
    """A plan with more subtasks is refused."""
    max_depth: Annotated[int, Field(ge=1, le=999)] = 12
    """A plan in which more subtasks than this build on one another is refused."""
    max_replans: Annotated[int, Field(ge=0, le=100)] = 2
    """How often what is left of a plan is planned anew when a part of it failed."""
    max_attempts: Positive = 2
    """Tries of one subtask on each model of its ladder."""
    max_calls: Positive | None = None
    """A run stops, resumable, before it makes more calls to models than this. Unset: no limit."""
    max_tokens: Positive | None = None
    """A run stops, resumable, before the next call when its prompts and answers took this many. Unset: no limit."""
    max_seconds: Seconds | None = None
    """A run stops, resumable, when it has worked this long. Unset: no limit."""
    max_joules: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """A run stops, resumable, when the processors used this much, on machines that tell. Unset: no limit."""
    slots: Positive | None = None
    """Calls a host computes at once. Unset: OLLAMA_NUM_PARALLEL, else what is seen (4 at first); 1 if embedded."""
    max_loaded_models: Positive | None = None
    """Models in a host's memory at once. Unset: OLLAMA_MAX_LOADED_MODELS, or 3; less where the server holds fewer; in
    the embedded runtime 2, a chat model and the embedding model, or 3 where memory_limit_bytes is set."""
    interactive_wait_seconds: Seconds = 30.0
    """A model with a call of `run` or `ask` waiting gets its turn within this time, whatever else is loaded."""
    batch_wait_seconds: Seconds = 600.0
    """The same for the calls of batches. Less means more loading."""
    threads: Positive | None = None
    """Threads a model computes with. Unset: the runtime decides."""
    memory_limit_bytes: Positive | None = None
    """What the embedded runtime's loaded models may take together. Unset: 60 % of the machine's memory."""
    reuse_prompts: bool = False
    """The embedded runtime keeps what it computed of a prompt for the next that begins alike: faster, and `nonet stats`
    tells how many tokens that saved. But rounding depends on what came before, so that a repeated call may get another
    answer."""
    response_cache_megabytes: Annotated[int, Field(ge=0)] = 64
    """Room for answers that are given again without asking the model: to the same call at temperature 0. 0: none."""
    trace_file: Path | None = None
    """Every call is written there as it ends, as a Chrome trace that ui.perfetto.dev opens. Unset: none is."""
    connect_timeout_seconds: Seconds = 5.0
    """Longest wait for a connection to the Ollama server."""
    first_token_timeout_seconds: Seconds = 300.0
    """Longest wait for the first piece of an answer; loading the model and reading the prompt fall in it."""
    stall_timeout_seconds: Seconds = 60.0
    """Longest silence within an answer."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take keyword arguments only: `load` merges the layers itself, to know where each value came from."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    def database_path(self) -> Path:
        """Where the database is, or will be made."""
        return self.db if self.db is not None else user_data_path("nonet", appauthor=False) / "nonet.db"

    def ollama_addresses(self) -> tuple[str | None, ...]:
        """Of every Ollama server; None is the one that OLLAMA_HOST names, or the local one."""
        return tuple(self.ollama_hosts) or (self.ollama_host,)

    def cache_path(self) -> Path:
        """Where downloaded models are, or will be kept."""
        return self.cache_dir if self.cache_dir is not None else user_cache_path("nonet", appauthor=False) / "models"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and for each key that is not a default the place that set it."""

    settings: Settings
    origins: Mapping[str, str] = field(default_factory=dict)
    """{"db": "NONET_DB", "model": "--model", "runtime": "/home/me/nonet.toml, line 3"}."""
    files: tuple[Path, ...] = ()
    """The nonet.toml files that were read, the strongest first."""


@dataclass(frozen=True, slots=True)
class _Layer:
    values: Mapping[str, Any]
    origins: Mapping[str, str]


def load(flags: Mapping[str, Any] | None = None, *, folder: Path | None = None) -> Loaded:
    """Read every layer and merge them.

    Args:
        flags: values from the command line; None stands for "not given".
        folder: where the search for nonet.toml starts; the current folder if not given.

    Raises:
        SettingsError: an unknown key, a wrong value, or a file that cannot be read, naming the place.
    """
    files = _find_files(folder)
    layers = [_flags_layer(flags or {}), _environment_layer(), *(_file_layer(path) for path in files), _ollama_layer()]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        for key, value in layer.values.items():
            if key not in values:
                values[key] = value
                origins |= {each: at for each, at in layer.origins.items() if each == key or each.startswith(f"{key}.")}
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise _wrong_value(error, origins) from error
    return Loaded(settings, origins, tuple(files))


def _find_files(folder: Path | None) -> list[Path]:
    """The nearest project file, then the user's."""
    try:
        start = (folder or Path.cwd()).resolve()
    except OSError:  # the current folder was removed under us; the user's own file still counts
        candidates = []
    else:
        candidates = [each / FILE_NAME for each in (start, *start.parents)]
    files = [path for path in candidates if _is_file(path)][:1]
    user = user_config_path("nonet", appauthor=False) / FILE_NAME
    if user not in files and _is_file(user):
        files.append(user)
    return files


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113  Path.is_file raises where a folder above may not be entered


def _flags_layer(flags: Mapping[str, Any]) -> _Layer:
    values = {key: value for key, value in flags.items() if value is not None}
    return _Layer(
        _absolute(values, Path()), {key: f"--{key.removeprefix('only_').replace('_', '-')}" for key in values}
    )


def _environment_layer() -> _Layer:
    for name in os.environ:
        key = name.upper().removeprefix(ENV_PREFIX).lower()
        if name.upper().startswith(ENV_PREFIX) and key not in Settings.model_fields:
            raise SettingsError(
                f"The environment variable {name} is not a setting of nonet.",
                next_step=_nearest(key, lambda field: f"{ENV_PREFIX}{field.upper()}", verb="Unset"),
            )
    try:
        values = EnvSettingsSource(Settings, env_prefix=ENV_PREFIX, env_ignore_empty=True)()
    except pydantic_settings.SettingsError as error:  # a list or table that is not JSON
        raise SettingsError(
            f"An environment variable of nonet is wrong: {error}.",
            next_step="""Lists and tables are written as JSON: NONET_MODELS='{"code": ["qwen2.5-coder:0.5b"]}'.""",
        ) from error
    return _Layer(_absolute(values, Path()), {key: f"{ENV_PREFIX}{key.upper()}" for key in values})


def _ollama_layer() -> _Layer:
    host = os.environ.get("OLLAMA_HOST", "").strip()
    return _Layer({"ollama_host": host}, {"ollama_host": "OLLAMA_HOST"}) if host else _Layer({}, {})


def _file_layer(path: Path) -> _Layer:
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except OSError as error:
        raise SettingsError(
            f"The settings file {path} cannot be read: {error.strerror}.",
            next_step="Make it readable, or move it away.",
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"The settings file {path} is not UTF-8 text.", next_step="Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file {path} is not valid TOML: {error}.", next_step="Correct it.") from error
    for key in values:
        if key not in Settings.model_fields:
            raise SettingsError(
                f"{_place(path, text, key)}: there is no setting {key!r}.",
                next_step=_nearest(key),
            )
    origins = {key: _place(path, text, key) for key in values}
    _check_owner(path, origins)
    for key in ("specialists", "remote"):  # tables of tables: each has a place of its own
        if isinstance(values.get(key), dict):
            origins |= {f"{key}.{name}": _place(path, text, key, name) for name in values[key]}
    return _Layer(_absolute(values, path.parent), origins)


def _check_owner(path: Path, origins: Mapping[str, str]) -> None:
    """Raise SettingsError where a file of another user names code to run: it may lie in a folder that all share."""
    naming = [origins[key] for key in ("specialists", "workflows") if key in origins]
    if naming and hasattr(os, "getuid") and path.stat().st_uid not in (os.getuid(), 0):
        raise SettingsError(
            f"{naming[0]}: the file belongs to another user and names code, which is not run for that reason.",
            next_step="Copy it into a folder of yours, after you have read it; or work somewhere else.",
        )


def _place(path: Path, text: str, key: str, name: str = "") -> str:
    """The file and the line: tomllib keeps no positions, so look for the key or its table, or for a table within it."""
    table = rf"""["']?{re.escape(key)}["']?"""
    forms = [rf"(?:\[\s*)?{table}\s*[\].=]"]
    if name:
        inner = rf"""["']?{re.escape(name)}["']?\s*[\].=]"""
        forms = [rf"(?:\[+\s*)?{table}\s*\.\s*{inner}", inner, *forms]
    for form in forms:
        pattern = re.compile(rf"^\s*{form}")
        for number, line in enumerate(text.splitlines(), start=1):
            if pattern.match(line):
                return f"{path}, line {number}"
    return str(path)


def _absolute(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Paths with `~` opened; one in a file is meant from that file's folder, not from where nonet was started."""
    result = dict(values)
    for key in ("db", "cache_dir", "trace_file"):
        value = result.get(key)
        if isinstance(value, str | Path) and str(value):
            home = os.path.expanduser(value)  # noqa: PTH111  Path.expanduser raises for an unknown user
            result[key] = (folder / home).absolute()
    if isinstance(result.get("specialists"), Mapping):
        result["specialists"] = {name: _beside(each, folder) for name, each in result["specialists"].items()}
    if isinstance(result.get("workflows"), Mapping):
        result["workflows"] = {name: _beside(each, folder) for name, each in result["workflows"].items()}
    return result


def _beside(value: Any, folder: Path) -> Any:  # noqa: ANN401  whatever the user wrote for a specialist
    """`./file.py:object` means a file beside the nonet.toml, whatever the current folder is."""
    if isinstance(value, str) and value.startswith("./"):
        return str((folder / value).absolute())
    if isinstance(value, Mapping):
        paths = {key: _beside(value[key], folder) for key in ("use", "verify", "tools") if key in value}
        return {**value, **paths}
    return [_beside(each, folder) for each in value] if isinstance(value, list) else value


def _nearest(key: str, spell: Callable[[str], str] = str, verb: str = "Remove") -> str:
    near = get_close_matches(key, Settings.model_fields, n=1, cutoff=0.5)
    if near:
        return f"Did you mean {spell(near[0])}?"
    return f"{verb} it; the settings are: {', '.join(spell(field) for field in sorted(Settings.model_fields))}."


def _origin(loc: Sequence[int | str], origins: Mapping[str, str]) -> str | None:
    """Where a value was set: of a table within a table, that table's own place."""
    return origins.get(".".join(map(str, loc[:2]))) or origins.get(str(loc[0]))


def _wrong_value(error: ValidationError, origins: Mapping[str, str]) -> SettingsError:
    problems = []
    for item in error.errors(include_url=False, include_context=False):
        key = str(item["loc"][0])
        name = ".".join(str(part) for part in item["loc"])
        if key not in Settings.model_fields:
            problems.append(f"there is no setting {key!r}. {_nearest(key)}")
            continue
        if item["type"] == "extra_forbidden":  # its value may be a key that does not belong there: it is not shown
            place = _origin(item["loc"], origins)
            problems.append(f"{name}{f' (from {place})' if place else ''} is not a setting")
            continue
        shown = repr(item["input"])
        shown = shown if len(shown) <= 60 else shown[:57] + "..."  # noqa: PLR2004
        message = item["msg"].removeprefix("Value error, ").replace("Input should", "should", 1)
        place = _origin(item["loc"], origins)
        problems.append(f"{name}{f' (from {place})' if place else ''} {message}, not {shown}")
    return SettingsError(
        f"A setting is wrong: {'; '.join(problems)}.",
        next_step="docs/settings.md lists every setting; `nonet config` shows where each value comes from.",
    )
