"""What the keys do beyond prompt_toolkit's own emacs and vi bindings."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from prompt_toolkit.application.current import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition, Filter, emacs_mode, has_focus, is_searching, vi_navigation_mode
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from nonet.repl.pastes import pasted

if TYPE_CHECKING:
    from pathlib import Path


class Side(Protocol):
    """The terminal's side, which decides what the keys mean now."""

    editor_closed: asyncio.Event

    def interrupt(self, typed: str) -> bool:
        """True: what was typed is to be thrown away."""
        ...

    def leave(self) -> None:
        """End the session."""
        ...

    def submit_is_due(self, text: str) -> bool:
        """False: the text goes on in another line."""
        ...


def bindings(side: Side, paste_folder: Path) -> KeyBindings:
    """Enter, new lines, Ctrl-C, Ctrl-D, pasting, and $EDITOR."""
    keys = KeyBindings()
    typing = has_focus("DEFAULT_BUFFER") & ~is_searching
    empty = Condition(lambda: not get_app().current_buffer.text)

    @keys.add("enter", filter=typing, eager=True)
    @keys.add("c-j", filter=typing, eager=True)  # what an Enter is that was typed before we listened
    def _enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.current_completion is not None:
            buffer.complete_state = None
        elif side.submit_is_due(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.newline(copy_margin=False)

    @keys.add("escape", "enter", filter=typing)
    def _new_line(event: KeyPressEvent) -> None:
        event.current_buffer.newline(copy_margin=False)

    @keys.add("c-c", filter=typing)
    @keys.add("<sigint>")
    def _interrupt(event: KeyPressEvent) -> None:
        if side.interrupt(event.current_buffer.text):
            event.current_buffer.reset()

    @keys.add("c-d", filter=typing & empty)
    def _leave(_event: KeyPressEvent) -> None:
        side.leave()

    @keys.add(Keys.BracketedPaste, filter=typing, eager=True)
    def _paste(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(pasted(event.data, paste_folder))

    _bind_editor(keys, side, typing)
    return keys


def _bind_editor(keys: KeyBindings, side: Side, typing: Filter) -> None:
    async def edit(buffer: Buffer) -> None:
        side.editor_closed.clear()
        try:
            await buffer.open_in_editor()
        finally:
            side.editor_closed.set()

    @keys.add("c-x", "c-e", filter=typing & emacs_mode)
    @keys.add("v", filter=typing & vi_navigation_mode)
    def _edit(event: KeyPressEvent) -> None:
        event.app.create_background_task(edit(event.current_buffer))
