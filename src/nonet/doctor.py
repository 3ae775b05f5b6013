"""`nonet doctor`: what works here, what does not, and what to do about it."""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from nonet import __version__
from nonet.checks import Check, Status
from nonet.commands_specialists import staff_of
from nonet.doctor_models import profiles
from nonet.door import Door, Flags, open_door, short_path
from nonet.errors import NonetError, StoreError
from nonet.render import columns, print_lines, text
from nonet.terminal import emit, run_async

if TYPE_CHECKING:
    from rich.text import Text

    from nonet.runtimes import ModelInfo, Runtime
    from nonet.settings import Settings

NOT_READY = 3
_STYLES = {"ok": "green", "warning": "yellow", "problem": "red"}
_PACKAGES = ("langgraph", "ollama", "aiohttp", "sqlmodel", "pydantic", "typer", "rich")
_MEND = "Correct it in nonet.toml, or update or uninstall its pack."
_EXTRAS = ("xllamacpp",)


def doctor(flags: Flags, *, measure: bool, deep: bool, json: bool, quiet: bool) -> int:
    """Look at everything, say what was found; 0 if a task can run, else 3."""
    door = open_door(flags, json=json, quiet=quiet)
    checks, runtime = run_async(examine(door, measure=measure, deep=deep))
    ready = not any(check.status == "problem" for check in checks)
    if json:
        emit({"ready": ready, "runtime": runtime, "checks": [asdict(check) for check in checks]})
    else:
        print_lines(report_lines(checks, ready=ready))
    return 0 if ready else NOT_READY


def report_lines(checks: Sequence[Check], *, ready: bool) -> list[Text]:
    """A line a check, then what to do."""
    lines = columns([[check.status, check.name, check.detail] for check in checks], indent="")
    for line, check in zip(lines, checks, strict=True):
        line.stylize(_STYLES[check.status], 0, len(check.status))
    steps = [check for check in checks if check.next_step]
    if steps:
        lines += [text(), text(("What to do", "bold"))]
        lines += columns([[check.name, check.next_step] for check in steps])
    verdict = "Ready: `nonet run` works here." if ready else "Not ready: see the problems above."
    return [*lines, text(), text((verdict, "bold green" if ready else "bold red"))]


async def examine(door: Door, *, measure: bool, deep: bool) -> tuple[list[Check], str | None]:
    """Every check, and the runtime that would be chosen."""
    from nonet.graphs.choice import choose_runtime  # noqa: PLC0415

    settings = door.loaded.settings
    checks = [installation(), embedded(), await ollama(settings), await sandbox(), database(settings)]
    checks += specialists(settings)
    runtime: Runtime | None = None
    try:
        chosen = await choose_runtime(settings)
        runtime = chosen.runtime
        checks.append(Check("runtime", "ok", f"{runtime.name}: {chosen.reason}", data={"runtime": runtime.name}))
        found = await runtime.models()
        checks += models(settings, found, runtime.name)
        if measure:
            checks += await profiles(door, runtime, found, deep=deep)
    except NonetError as error:
        checks.append(Check("runtime", "problem", error.message, error.next_step))
    finally:
        if runtime is not None:
            await runtime.aclose()
    return checks, runtime.name if runtime is not None else None


def installation() -> Check:
    """Python, nonet, and the libraries it stands on."""
    found = {name: _version(name) for name in _PACKAGES}
    detail = f"nonet {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    detail += f", {os.cpu_count() or 1} cores"
    return Check("installation", "ok", detail, data={"python": platform.python_version(), "packages": found})


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def embedded() -> Check:
    """Whether models can run in this process."""
    found = {name: _version(name) for name in _EXTRAS}
    missing = [name for name, there in found.items() if there is None]
    if missing:
        return Check(
            "embedded runtime",
            "warning",
            f"not installed ({', '.join(missing)} missing)",
            "pip install 'nonet[embedded]'",
            {"packages": found},
        )
    return Check("embedded runtime", "ok", f"installed, xllamacpp {found['xllamacpp']}", data={"packages": found})


async def ollama(settings: Settings) -> Check:
    """Whether an Ollama server answers."""
    from nonet.runtimes.ollama import OllamaRuntime  # noqa: PLC0415

    wanted = settings.runtime == "ollama"
    versions: dict[str, str | None] = {}
    for address in settings.ollama_addresses():
        try:
            server = OllamaRuntime(address, connect_timeout_seconds=settings.connect_timeout_seconds)
        except NonetError as error:
            return Check("ollama", "problem" if wanted else "warning", error.message, error.next_step)
        try:
            versions[address or server.url] = await server.probe()
        finally:
            await server.aclose()
    version = next((version for version in versions.values() if version is not None), None)
    told = [f"version {each} answers at {where}" for where, each in versions.items() if each is not None]
    told += [f"no server answers at {where}" for where, each in versions.items() if each is None]
    fine = version is not None or not wanted
    status: Status = "problem" if not fine else "warning" if version is not None and None in versions.values() else "ok"
    step = "" if status == "ok" else "Start it with `ollama serve`." if version is None else "See `nonet hosts list`."
    return Check("ollama", status, "; ".join(told), step, {"version": version})


async def sandbox() -> Check:
    """Which tier confines code here, and why the others do not."""
    from nonet.specialists.sandbox.probe import probe_tiers  # noqa: PLC0415

    tiers = await asyncio.to_thread(probe_tiers)
    data = {"tiers": [asdict(tier) for tier in tiers]}
    working = [tier.tier for tier in tiers if tier.works]
    broken = "; ".join(f"{tier.tier}: {tier.reason.rstrip('.')}" for tier in tiers if not tier.works)
    if working:
        others = f" (not: {broken})" if broken else ""
        return Check("sandbox", "ok", f"{working[0]} confines code here{others}", data=data)
    return Check(
        "sandbox",
        "warning",
        f"no tier works here, so code is written but not run ({broken})",
        "Install bubblewrap, or allow unprivileged user namespaces, or pip install 'nonet[wasi]'.",
        data,
    )


def database(settings: Settings) -> Check:
    """Whether the database can be used; makes none."""
    path = settings.database_path()
    shown = short_path(path)
    if not path.exists():
        return _place_for(path, shown)
    from nonet.store import Store  # noqa: PLC0415

    try:
        with Store.open(path, create=False) as store:
            documents = len(store.documents.list())
            runs = len(store.runs.list(1_000_000))
    except StoreError as error:
        return Check("database", "problem", error.message, error.next_step, {"path": str(path)})
    size_bytes = path.stat().st_size
    return Check(
        "database",
        "ok",
        f"{shown}: {documents} documents, {runs} runs, {size_bytes / 1e6:.1f} MB",
        data={"path": str(path), "documents": documents, "runs": runs, "size_bytes": size_bytes},
    )


def _place_for(path: Path, shown: str) -> Check:
    folder = next(each for each in path.parents if each.exists())
    if os.access(folder, os.W_OK | os.X_OK):
        return Check("database", "ok", f"{shown} will be made by the first run", data={"path": str(path)})
    return Check(
        "database",
        "problem",
        f"{shown} cannot be made: {folder} is read-only",
        "Name another place with --db or NONET_DB.",
        {"path": str(path)},
    )


def specialists(settings: Settings) -> list[Check]:
    """Those of the user's and of packs: who is here, and who was left out and why."""
    from nonet.specialists.staff import SHIPPED  # noqa: PLC0415

    staff = staff_of(settings)
    own = {name: origin for name, origin in staff.origins.items() if origin != SHIPPED}
    checks = [
        Check(f"specialist {each.name}", "warning", f"left out ({each.origin}): {each.reason}", _MEND)
        for each in staff.problems
    ]
    if own:
        told = ", ".join(f"{name} ({origin})" for name, origin in own.items())
        checks.insert(0, Check("specialists", "ok", f"beside those that ship: {told}", data={"own": own}))
    return checks


def models(settings: Settings, found: Sequence[ModelInfo], runtime: str) -> list[Check]:
    """Which models are there, and whether each specialist has one."""
    from nonet.graphs.ladders import choose_embedder, choose_ladders, not_installed  # noqa: PLC0415

    staff = staff_of(settings)
    names = ", ".join(model.name for model in found) or "none"
    data = {"models": [model.name for model in found]}
    try:
        ladders = choose_ladders(settings, found, tuple(staff.specialists), runtime, staff.models)
        embedder = choose_embedder(settings, found)
    except NonetError as error:
        step = error.next_step if any("chat" in model.capabilities for model in found) else "nonet models pull"
        return [Check("models", "problem", error.message, step, data)]
    checks = [
        Check("models", "ok", names, data={**data, "ladders": {key: list(each) for key, each in ladders.items()}})
    ]
    for name, lacking in not_installed(ladders, staff.models).items():
        detail = f"it would like {', '.join(lacking)}, and works with {', '.join(ladders[name])}"
        checks.append(Check(f"specialist {name}", "warning", detail, f"nonet models pull {' '.join(lacking)}"))
    if embedder is None:
        checks.append(
            Check(
                "embeddings",
                "warning",
                "no embedding model: requests are routed by their words, and search is by words alone",
                "nonet models pull all-minilm:l6-v2",
            )
        )
    return checks
