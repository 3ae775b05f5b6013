"""What the engine works with: settings, database, models; the session's memory; and what the terminal shall know."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from nonet.door import Door, check_named, open_door
from nonet.graphs.budget import Limits
from nonet.graphs.conversation import Conversation
from nonet.render import limits_line, text
from nonet.repl.preferences import OWN
from nonet.repl.progress import Progress
from nonet.runtimes.catalog import ENTRIES
from nonet.settings import Settings
from nonet.store import SessionRecord, Store
from nonet.text import one_line

if TYPE_CHECKING:
    from rich.text import Text

    from nonet.graphs.session import Session
    from nonet.repl.engine import Engine
    from nonet.repl.wire import Message

_MOST_NAMES = 50
"""Runs and documents that can be completed by name."""
_UNFINISHED = {
    "interrupted": "It was cut off: /resume finishes it.",
    "waiting": "Its plan waits: /plan shows it, /plan approve runs it.",
}


class Desk:
    """One session at work. Open with `await Desk.open(...)`."""

    def __init__(self, engine: Engine, options: Message, store: Store, record: SessionRecord) -> None:
        self.engine = engine
        self.flags: dict[str, Any] = dict(options["flags"])
        self.changed: dict[str, Any] = dict(record.state.get("settings", {}))
        """Settings that were changed in this session (/set, /budget)."""
        self.record = record
        self.progress = Progress(engine.tell, plain=bool(options.get("plain")), loaded=self.loaded)
        self._store = store
        self._session: Session | None = None
        self._opening = asyncio.Lock()
        self._documents: list[str] | None = None
        self._talk: Conversation | None = None

    @classmethod
    async def open(cls, engine: Engine, options: Message) -> Self:
        """Open the database, find or make the session, and say so; models are not touched.

        Raises:
            SettingsError, StoreError, DocumentError: with the session unopened.
        """
        door = open_door(options["flags"])
        store = Store.open(door.loaded.settings.database_path())
        try:
            check_named(door, store)
            wanted = options.get("resume")
            record = store.sessions.find(wanted) if wanted else store.sessions.create()
        except BaseException:
            store.close()
            raise
        desk = cls(engine, options, store, record)
        engine.tell({"is": "ready", "session": record.id, "back": f"nonet --continue{door.db_option}"})
        if wanted:
            desk.greet()
        return desk

    def greet(self) -> None:
        """What was going on when the session was left."""
        runs = self.store.sessions.runs(self.record.id)
        name = f" {self.record.name}" if self.record.name else ""
        lines = [text(("Session", "bold"), f"{name} {self.record.id}: {len(runs)} run{'s' if len(runs) != 1 else ''}")]
        for run in runs[-3:]:
            found = self.store.runs.get(run)
            lines.append(text(f"  {run}  {found.status}  {found.verdict or '-'}  ", (found.task.splitlines()[0], "")))
            if found.status in _UNFINISHED:
                lines.append(text(f"  {_UNFINISHED[found.status]}"))
        self.engine.show(lines)

    @property
    def door(self) -> Door:
        """The settings now in force. Raises SettingsError."""
        return open_door({**self.flags, **self.changed})

    @property
    def store(self) -> Store:
        """The database; the open runtime's own where there is one, so that what it wrote is seen."""
        return self._session.store if self._session is not None else self._store

    async def session(self) -> Session:
        """The runtime and the models, opened at first use and after a change of the settings."""
        async with self._opening:
            if self._session is None:
                from nonet.graphs.session import Session  # noqa: PLC0415

                self._session = await Session.open(self.door.loaded.settings)
                self.engine.tell({"is": "status", "runtime": self._session.runtime.name})
                self.engine.show([text((f"Warning: {each.told()}", "yellow")) for each in self._session.staff.problems])
                await self.settle()
            return self._session

    async def talk(self) -> Conversation:
        """What was said and made in this session, on the models in force."""
        session = await self.session()
        if self._talk is None:
            self._talk = Conversation(session, self.record)
        self._talk.session = session
        return self._talk

    async def reopen(self, changed: Mapping[str, Any]) -> Session:
        """Use other settings from now on, all or none of them."""
        before, self.changed = self.changed, {k: v for k, v in {**self.changed, **changed}.items() if v is not None}
        try:
            settings = self.door.loaded.settings
            if self._session is not None and self._session.settings == settings:
                return self._session
            old, self._session = self._session, None
            try:
                opened = await self.session()
            except BaseException:
                self._session = old
                raise
            if old is not None:
                await old.aclose()
        except BaseException:
            self.changed = before
            raise
        talk = await self.talk()
        talk.state["settings"] = self.changed
        await talk.keep()
        return opened

    async def refresh(self) -> None:
        """See what models there are now."""
        old, self._session = self._session, None
        try:
            await self.session()
        finally:
            if old is not None:
                await old.aclose()

    def budget(self) -> str:
        """What a run may spend, in words; empty where there is no limit."""
        limits = Limits.of(self.door.loaded.settings)
        return f"at most {limits_line(limits)}" if limits else ""

    def loaded(self) -> list[str]:
        """The models in memory, as far as is known."""
        servers = self._session.scheduler.servers.values() if self._session is not None else ()
        return sorted({name for server in servers for name in server.host.loaded})

    def renamed(self, name: str) -> None:
        """The session is called so from now on."""
        self.record = replace(self.record, name=name)

    async def settle(self) -> None:
        """After each thing that was done: tell the terminal what can be named now and how things stand."""
        if self._session is None:
            return
        name = one_line(self.record.name) or self.record.id
        self.engine.tell({"is": "status", "loaded": self.loaded(), "session": name, "budget": self.budget()})
        self.engine.tell({"is": "names", **self.names()})

    def names(self) -> dict[str, list[str]]:
        """What can be completed."""
        if self._documents is None:
            self._documents = [each.name for each in self.store.documents.list()[:_MOST_NAMES]]
        runs = [each.id for each in self.store.runs.list(_MOST_NAMES)]
        return {
            "runs": runs,
            "artifacts": self._artifacts(),
            "settings": [*Settings.model_fields, *OWN],
            "models": sorted({*self._installed(), *(entry.name for entry in ENTRIES)}),
            "documents": self._documents,
            "specialists": sorted(self._session.specialists) if self._session is not None else [],
        }

    def documents_changed(self) -> None:
        """Look at the documents again; there may be very many, so not after everything."""
        self._documents = None

    def _installed(self) -> list[str]:
        return list(self._session.installed) if self._session is not None else []

    def _artifacts(self) -> list[str]:
        made = self._talk.memory.artifacts if self._talk is not None else []
        return ["last", *(each.name.removeprefix("@") for each in reversed(made))]

    def stopped(self) -> Text:
        """What to say when the user stopped something."""
        if not self.progress.run:
            return text("Stopped.")
        return text("Stopped. ", f"Run {self.progress.run} is kept with what it had finished: /resume goes on.")

    async def aclose(self) -> None:
        """Give back the models and the database."""
        try:
            if self._session is not None:
                await self._session.aclose()
        finally:
            await self._store.aclose()
