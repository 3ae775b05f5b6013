"""Tools of MCP servers, by the official SDK (`pip install 'nonet[mcp]'`).

A server is started, or connected to, for one attempt of one subtask, and given back at its end.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from nonet.errors import RuntimeUnavailableError, ToolServerError
from nonet.specialists.tools import LONGEST_SECONDS, Tool, ToolError

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import Tool as McpTool

_MOST_PAGES = 20


@dataclass(frozen=True, slots=True)
class McpServer:
    """An MCP server: a command that speaks over its standard input and output, or the URL of one that runs."""

    command: tuple[str, ...] = ()
    url: str = ""
    """Streamable HTTP. What its tools are given goes to that address."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that the command gets beside the few that the SDK always passes on."""
    only: tuple[str, ...] = ()
    """Names of the tools to take; empty: all."""

    def __str__(self) -> str:
        return f"MCP {self.url or ' '.join(self.command)}"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Sequence[Tool]]:
        """Its tools, for as long as the connection is open.

        Raises:
            RuntimeUnavailableError: the SDK is not installed.
            ToolServerError: the server does not answer.
        """
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(LONGEST_SECONDS):
                    client = await self._connected(stack)
                    tools = await _listed(client)
            except Exception as error:
                if isinstance(error, RuntimeUnavailableError):
                    raise
                while isinstance(error, ExceptionGroup):  # task groups wrap what went wrong
                    error = error.exceptions[0]
                reason = str(error) or type(error).__name__
                raise ToolServerError(
                    f"The server {self} does not answer: {reason}.",
                    next_step="Start it by hand to see what it says, or take it away from the specialist.",
                ) from error
            yield [_tool(client, tool) for tool in tools if not self.only or tool.name in self.only]

    async def _connected(self, stack: AsyncExitStack) -> Client:
        try:
            from mcp import Client, StdioServerParameters, stdio_client  # noqa: PLC0415  an extra
        except ImportError as error:
            raise RuntimeUnavailableError(
                "A specialist wants the tools of an MCP server, and the MCP SDK is not installed.",
                next_step="Install it with: pip install 'nonet[mcp]'",
            ) from error
        if self.url:
            return await stack.enter_async_context(Client(self.url))
        command, *arguments = self.command
        parameters = StdioServerParameters(command=command, args=arguments, env=dict(self.environment) or None)
        nowhere = stack.enter_context(_nowhere())  # its log is not ours to show
        return await stack.enter_async_context(Client(stdio_client(parameters, errlog=nowhere)))


@contextmanager
def _nowhere() -> Iterator[TextIO]:
    with Path(os.devnull).open("w", encoding="utf-8") as sink:
        yield sink


async def _listed(client: Client) -> list[McpTool]:
    found: list[McpTool] = []
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if not cursor:
            break
    return found


def _tool(client: Client, tool: McpTool) -> Tool:
    async def call(arguments: Mapping[str, Any]) -> str:
        from mcp import MCPError  # noqa: PLC0415

        try:
            result = await client.call_tool(tool.name, dict(arguments), read_timeout_seconds=LONGEST_SECONDS)
        except MCPError as error:
            raise ToolError(str(error)) from error
        texts = [block.text for block in result.content if block.type == "text"]
        text = "\n".join(texts) or json.dumps(result.structured_content, ensure_ascii=False)
        if result.is_error:
            raise ToolError(text)
        return text

    first = (tool.description or tool.title or "").strip().splitlines()
    return Tool(tool.name, first[0] if first else "", tool.input_schema, call)
