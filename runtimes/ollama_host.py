"""Where the Ollama server is: OLLAMA_HOST, read as Ollama's own clients read it."""

from __future__ import annotations

import ipaddress
import os
from urllib.parse import urlsplit

from nonet.errors import SettingsError

_DEFAULT_PORT = 11434
_SCHEME_PORTS = {"http": 80, "https": 443}


def server_url(host: str | None = None) -> str:
    """The server's base address, without a slash at its end.

    None reads OLLAMA_HOST; unset or empty is this machine at port 11434. As in the `ollama` package: a port missing
    is 11434, or that of the scheme where one is given; a path is kept; a user name is dropped. As in Ollama's
    envconfig: spaces and quotes around the value go, and an address to listen on everywhere (0.0.0.0, ::) means
    the loopback to a client.

    Raises:
        SettingsError: no address can be read from it.

    Examples:
        >>> server_url("")
        'http://127.0.0.1:11434'
        >>> server_url("0.0.0.0:8080")
        'http://127.0.0.1:8080'
        >>> server_url("https://example.com/models/")
        'https://example.com:443/models'
    """
    given = os.environ.get("OLLAMA_HOST", "") if host is None else host
    text = given.strip().strip("\"'").strip()
    if any(character.isspace() or not character.isprintable() for character in text):
        raise _unreadable(given, "it has spaces or control characters in it")
    scheme, separator, rest = text.partition("://")
    if not separator or not rest:
        scheme, rest, default_port = "http", text, _DEFAULT_PORT
    else:
        scheme = scheme.lower()
        default_port = _SCHEME_PORTS.get(scheme, 0)
    try:
        split = urlsplit(f"{scheme}://{rest}")
        name, port = _connectable(split.hostname or "127.0.0.1"), split.port or default_port
    except ValueError as error:
        raise _unreadable(given, str(error)) from error
    if scheme not in _SCHEME_PORTS:
        raise _unreadable(given, f"{scheme} is not http or https")
    path = split.path.strip("/")
    return f"{scheme}://{name}:{port}" + (f"/{path}" if path else "")


def is_loopback(url: str) -> bool:
    """Whether the address never leaves this machine, so that no proxy may come between."""
    name = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _connectable(name: str) -> str:
    """The name as a client writes it. Raises ValueError for one that no machine can have."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        if not name.strip("0123456789."):
            raise  # looks like an address, and is none
        name.encode("idna")
        return name
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"  # noqa: PLR2004 - of IP
    return name if address.version == 4 else f"[{name}]"  # noqa: PLR2004 - of IP


def _unreadable(given: str, why: str) -> SettingsError:
    return SettingsError(
        f"The address of the Ollama server, {given!r}, cannot be read: {why}.",
        next_step="Give OLLAMA_HOST as host:port or as http://host:port.",
    )
