"""OLLAMA_HOST, read as Ollama's clients read it (the cases are the official Python client's own)."""

from __future__ import annotations

import pytest

from nonet.errors import SettingsError
from nonet.runtimes.ollama import OllamaRuntime
from nonet.runtimes.ollama_host import is_loopback, server_url

V6 = "[0001:002:003:0004::1]"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("1.2.3.4", "http://1.2.3.4:11434"),
        (":56789", "http://127.0.0.1:56789"),
        ("1.2.3.4:56789", "http://1.2.3.4:56789"),
        ("http://1.2.3.4", "http://1.2.3.4:80"),
        ("https://1.2.3.4", "https://1.2.3.4:443"),
        ("https://1.2.3.4:56789", "https://1.2.3.4:56789"),
        ("example.com", "http://example.com:11434"),
        ("example.com:56789", "http://example.com:56789"),
        ("http://example.com", "http://example.com:80"),
        ("https://example.com", "https://example.com:443"),
        ("https://example.com:56789", "https://example.com:56789"),
        ("example.com/", "http://example.com:11434"),
        ("example.com:56789/", "http://example.com:56789"),
        ("example.com/path", "http://example.com:11434/path"),
        ("example.com:56789/path", "http://example.com:56789/path"),
        ("https://example.com:56789/path", "https://example.com:56789/path"),
        ("example.com:56789/path/", "http://example.com:56789/path"),
        (V6, f"http://{V6}:11434"),
        (f"{V6}:56789", f"http://{V6}:56789"),
        (f"http://{V6}", f"http://{V6}:80"),
        (f"https://{V6}:56789/path/", f"https://{V6}:56789/path"),
        # as Ollama itself: an address to listen on is the loopback to a client, and quotes and spaces go
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8000", "http://127.0.0.1:8000"),
        ("http://0.0.0.0:8000", "http://127.0.0.1:8000"),
        ("[::]:8000", "http://[::1]:8000"),
        (' "1.2.3.4" ', "http://1.2.3.4:11434"),
        ("HTTP://Example.com:1", "http://example.com:1"),
        ("http://user:secret@example.com", "http://example.com:80"),
    ],
)
def test_addresses(host: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert server_url(host) == url
    monkeypatch.setenv("OLLAMA_HOST", host)
    assert server_url() == url
    assert OllamaRuntime().url == url


@pytest.mark.parametrize(
    "host", ["ftp://x", "http://[::1", "host:port", "host:99999", "a b", "http://a\nb", "256.1.1.1:99", "a..b"]
)
def test_what_cannot_be_read_is_a_settings_error(host: str) -> None:
    with pytest.raises(SettingsError) as caught:
        server_url(host)
    assert "OLLAMA_HOST" in caught.value.next_step


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:1", True),
        ("http://127.9.9.9:1", True),
        ("http://[::1]:1", True),
        ("http://localhost:1", True),
        ("http://localhost.example.com:1", False),
        ("http://10.0.0.1:1", False),
    ],
)
def test_loopback(url: str, local: bool) -> None:  # noqa: FBT001
    assert is_loopback(url) is local
