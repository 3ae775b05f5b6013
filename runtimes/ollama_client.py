"""The official `ollama` package where it can do the job: list, pull and embed.

It has no time-outs of its own, follows redirects, and lets httpx's, pydantic's and JSON's errors out; all that is put
right here. Importing it takes 0.4 s (httpx, pydantic models), so nothing on the path of a chat does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

import httpx
import ollama

from nonet.errors import CallError, CallTimeoutError, ModelDownloadError, RuntimeUnavailableError
from nonet.runtimes.ollama_errors import Call, TransientError, dropped, not_understood, raise_refusal, unavailable
from nonet.runtimes.ollama_host import is_loopback

OnProgress = Callable[[str, int, int], None]
"""Takes what is being done, the bytes that are there and the bytes there will be (0 where unknown)."""

_SHAPES = (ValueError, TypeError, AttributeError, KeyError, RecursionError)
"""What the package raises on answers of another shape than it expects (JSON and pydantic errors are ValueErrors)."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One model of /api/tags."""

    name: str
    size_bytes: int
    digest: str
    """Of its manifest: another one means that the model changed."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """What /api/embed gave."""

    vectors: tuple[tuple[float, ...], ...]
    prompt_tokens: int
    load_nanoseconds: int


class OllamaClient:
    """One `ollama.AsyncClient` with time-outs (seconds) and typed errors; of one event loop."""

    def __init__(self, url: str, *, connect_timeout_seconds: float, read_timeout_seconds: float) -> None:
        self._url = url
        self._client = ollama.AsyncClient(
            host=url,
            timeout=httpx.Timeout(read_timeout_seconds, connect=connect_timeout_seconds, pool=None),
            follow_redirects=False,
            trust_env=not is_loopback(url),
            verify=url.startswith("https:"),  # reading the certificates of the world takes 50 ms that http needs not
        )

    async def list(self) -> tuple[Listed, ...]:
        """What is installed."""
        with _translated(Call(self._url)):
            answer = await self._client.list()
        return tuple(
            Listed(model.model, int(model.size or 0), model.digest or "") for model in answer.models if model.model
        )

    async def embed(
        self, call: Call, texts: Sequence[str], options: dict[str, int], keep_alive: float | str | None
    ) -> Embedded:
        """One vector a text; a text that does not fit the window is refused, not cut."""
        with _translated(call):
            answer = await self._client.embed(
                model=call.model, input=list(texts), truncate=False, options=options, keep_alive=keep_alive
            )
            vectors = tuple(tuple(vector) for vector in answer.embeddings)
        return Embedded(vectors, answer.prompt_eval_count or 0, answer.load_duration or 0)

    async def pull(self, model: str, on_progress: OnProgress | None) -> None:
        """Let the server fetch a model. Raises ModelDownloadError when it cannot."""
        call = Call(self._url)
        status = ""
        try:
            with _translated(call):
                parts = aiter(await self._client.pull(model, stream=True))
            while True:
                with _translated(call):
                    part = await anext(parts, None)
                if part is None:
                    break
                status = part.status or ""
                if on_progress is not None:
                    on_progress(status, part.completed or 0, part.total or 0)
        except TransientError as error:
            if isinstance(error.error, RuntimeUnavailableError):
                raise error.error from error
            raise _not_pulled(model, error.error.message) from error
        except CallError as error:
            raise _not_pulled(model, error.message) from error
        if status != "success":
            raise _not_pulled(model, "the server ended before it was done")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()  # type: ignore[no-untyped-call]


def _not_pulled(model: str, why: str) -> ModelDownloadError:
    return ModelDownloadError(
        f"The Ollama server could not pull {model!r}: {why}",
        kept="What was fetched is kept by the server.",
        next_step=f"Check the name at ollama.com/library and the network, then pull again: nonet models pull {model}.",
    )


@contextmanager
def _translated(call: Call) -> Iterator[None]:
    """Turn whatever the package lets out into nonet's errors, or TransientError."""
    try:
        yield
    except ollama.ResponseError as error:
        status = error.status_code if error.status_code > 0 else HTTPStatus.OK
        raise_refusal(call, status, str(error.error))
    except httpx.ConnectTimeout as error:
        raise CallTimeoutError(
            f"No connection to the Ollama server at {call.url} came about in time.",
            next_step="Check OLLAMA_HOST and the network, or raise connect_timeout_seconds.",
        ) from error
    except httpx.TimeoutException as error:
        raise CallTimeoutError(
            f"The Ollama server at {call.url} did not answer in time.",
            next_step="Look at the server's log, or raise first_token_timeout_seconds.",
        ) from error
    except (ConnectionError, httpx.ConnectError) as error:
        raise TransientError(unavailable(call, "connection refused")) from error
    except httpx.TransportError as error:
        raise dropped(call, "", str(error) or type(error).__name__) from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise not_understood(call, str(error) or type(error).__name__) from error
    except _SHAPES as error:
        raise not_understood(call, f"its answer has another shape ({type(error).__name__})") from error
