"""The terminal's side: the prompt, the tree of the plan above it, the status line below it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import ThreadedHistory

from nonet.repl.completion import Completions, wants_completion
from nonet.repl.history import SessionHistory
from nonet.repl.keys import bindings
from nonet.repl.looks import prompt_style
from nonet.repl.preferences import Preferences, folder, load
from nonet.repl.screen import as_terminal_text, warm_up
from nonet.repl.status import status_line
from nonet.repl.talk import Talk, goes_on, on_hang_up
from nonet.repl.tree import Tree
from nonet.repl.wire import Line, Message, line

_MARK = "> "
_TICK_SECONDS = 0.25
_MENU_ROWS = 6
_REDRAW_SECONDS = 0.05
"""At most so often the screen is drawn again for what a model says; a key is shown at once."""


class Front(Talk):
    """A session on a terminal that can be redrawn."""

    def __init__(self, options: Mapping[str, Any], preferences: Preferences) -> None:
        super().__init__(options)
        self.preferences = preferences
        unicode = (sys.stdout.encoding or "").lower().startswith("utf")
        self.tree = Tree(ascii_only=not unicode)
        self.pieces: list[tuple[float, int]] = []
        """When how many pieces of answers came, for the tokens a second."""
        self._shown: asyncio.Queue[list[Line]] = asyncio.Queue()
        self._end = asyncio.Event()
        self.editor_closed = asyncio.Event()
        """Cleared while $EDITOR has the terminal."""
        self.editor_closed.set()
        self._started = False
        self._due: asyncio.TimerHandle | None = None
        self._prompt: PromptSession[str] = PromptSession(
            message=self._message,
            multiline=True,
            prompt_continuation=lambda width, _number, _wrapped: "." * (width - 1) + " ",
            key_bindings=bindings(self, folder() / "pastes"),
            history=ThreadedHistory(SessionHistory(folder() / "history")),
            completer=Completions(self),
            complete_while_typing=Condition(lambda: wants_completion(get_app().current_buffer.document)),
            complete_in_thread=True,
            bottom_toolbar=lambda: status_line(self, get_app().output.get_size().columns),
            editing_mode=EditingMode.VI if preferences.editing == "vi" else EditingMode.EMACS,
            style=prompt_style(preferences.theme),
            tempfile_suffix=".md",
            reserve_space_for_menu=_MENU_ROWS,
        )
        self._prompt.app.after_render += self._begin

    async def run(self) -> int:
        """Until the user leaves."""
        on_hang_up(self._hung_up)
        helpers = [asyncio.create_task(each) for each in (self._print(), self._tick())]
        for helper in helpers:
            helper.add_done_callback(lambda _: self.leave())  # without it nothing would be shown any more
        try:
            while not self._end.is_set():
                try:
                    said = await self._prompt.prompt_async()
                except EOFError:
                    break
                self.say(said)
        finally:
            for helper in helpers:
                helper.cancel()
            if self.open and not self.hurry:
                sys.stdout.write("Stopping; what is done is kept.\n")
            await self.close()
        for helper in helpers:
            with suppress(asyncio.CancelledError):
                await helper
        if self.session:
            sys.stdout.write(f"Come back to this session with: {self.back}\n")
        return 0

    def _hung_up(self) -> None:
        self.hurry = True
        self.leave()

    def _begin(self, _app: object) -> None:
        """The prompt stands: now load everything else."""
        if not self._started:
            self._started = True
            self._starting = asyncio.ensure_future(self._load())

    async def _load(self) -> None:
        await self.engine.start()
        await asyncio.to_thread(warm_up)

    def _message(self) -> StyleAndTextTuples:
        app = get_app()
        if app.is_done:
            return [("class:prompt", _MARK)]
        size = app.output.get_size()
        return [
            *self.tree.fragments(size.columns - 1, max(2, size.rows - _MENU_ROWS - 3)),
            ("class:prompt", _MARK),
        ]

    def submit_is_due(self, text: str) -> bool:
        """Whether Enter ends what is typed."""
        return not goes_on(text)

    def interrupt(self, typed: str) -> bool:
        """As Talk's; an idle prompt asks for a second Ctrl-C, as nothing else told that the first was heard."""
        if not self.open and not typed and not self.hurry:
            self.hurry = True
            self.show([line(("Ctrl-C again, or Ctrl-D, leaves.", "dim"))])
            return False
        throw_away = super().interrupt(typed)
        self.tree.stopping = bool(self.open)
        self.redraw()
        return throw_away

    def say(self, text: str) -> None:
        self.hurry = False
        super().say(text)

    def leave(self) -> None:
        super().leave()
        self._end.set()
        if self._prompt.app.is_running:
            with suppress(Exception):  # it may be ending by itself
                self._prompt.app.exit(exception=EOFError)

    def progress(self, message: Message) -> None:
        if message["is"] == "begin":
            self.tree.clear()
        else:
            if message["is"] == "text":
                self.pieces.append((asyncio.get_running_loop().time(), message["pieces"]))
            self.tree.take(message)
        self.redraw()

    def _ended(self, number: int) -> None:
        mine = number in self.open
        super()._ended(number)
        if mine:
            self.hurry = False
            self.tree.clear()
        self.redraw()

    def hear(self, message: Message) -> None:
        super().hear(message)
        if message["is"] in {"status", "names", "ready"}:
            self.redraw()

    def redraw(self) -> None:
        """Soon, and not for every piece of an answer. prompt_toolkit's own limit would hold up keys, too."""
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(_REDRAW_SECONDS, self._redraw_now)

    def _redraw_now(self) -> None:
        self._due = None
        self._prompt.app.invalidate()

    def restyle(self) -> None:
        preferences = self.preferences = load()
        self._prompt.style = prompt_style(preferences.theme)
        self._prompt.app.editing_mode = EditingMode.VI if preferences.editing == "vi" else EditingMode.EMACS
        self._prompt.editing_mode = self._prompt.app.editing_mode

    def show(self, lines: list[Line]) -> None:
        """Above the prompt, in the order they came."""
        self._shown.put_nowait(lines)

    async def _print(self) -> None:
        while True:
            lines = await self._shown.get()
            while not self._shown.empty():
                lines = [*lines, *self._shown.get_nowait()]
            app = self._prompt.app
            texts = as_terminal_text(lines, app.output.get_size().columns, self.preferences.theme)
            text = next(texts, None)
            while text is not None:
                following = next(texts, None)
                await self.editor_closed.wait()
                if app.renderer.waiting_for_cpr:  # an answer about where the cursor was would be taken for where it is
                    await app.renderer.wait_for_cpr_responses()
                self._write_above(text, is_last=following is None)
                await asyncio.sleep(0)  # keys are heard in between
                text = following

    def _write_above(self, text: str, *, is_last: bool) -> None:
        """Not by prompt_toolkit's run_in_terminal, in which the terminal echoes what is typed meanwhile.

        Where the cursor is, is asked once, after the last text, and before anything is drawn again: the question may
        be put only while the cursor is where the prompt begins.
        """
        app = self._prompt.app
        if app.is_running:
            app.renderer.erase()
        app.output.write_raw(text.replace("\n", "\r\n"))
        app.output.flush()
        if app.is_running:
            if is_last:
                app.renderer.request_absolute_cursor_position()
            app.invalidate()

    async def _tick(self) -> None:
        """Seconds pass in the tree even when nothing is told."""
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            if self.tree.rows:
                self.redraw()
