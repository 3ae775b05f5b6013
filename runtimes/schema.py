"""Whether an answer obeys its JSON schema.

Grammar-constrained sampling is not validation: a runtime may cut the answer, ignore parts of the schema (number ranges,
`uniqueItems`, unanchored patterns) or never apply it (a thinking model that never stops thinking). So every runtime
checks here what it hands out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nonet.errors import BadRequestError, IncompleteAnswerError

if TYPE_CHECKING:
    from jsonschema_rs import Validator

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def encode_schema(schema: Mapping[str, Any]) -> str:
    """The schema as compact JSON, its key order kept. Raises BadRequestError when it is not JSON."""
    try:
        return _encode(dict(schema))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadRequestError(
            f"The JSON schema of the request cannot be written as JSON: {error}.",
            next_step="Correct the schema; this is a mistake in the program, not in the model.",
        ) from error


def check_answer(text: str, schema_json: str, *, cut: bool = False) -> None:
    """Return quietly when `text` is JSON that obeys the schema.

    Args:
        text: the whole answer.
        schema_json: what `encode_schema` gave.
        cut: the answer ended at a token limit, which is said in the message.

    Raises:
        IncompleteAnswerError: it is not JSON, or breaks the schema.
        BadRequestError: the schema itself is wrong, or refers to a schema elsewhere, which is never fetched.
    """
    validator = _validator(schema_json)
    how = "was cut at the token limit, so it" if cut else ""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise IncompleteAnswerError(
            f"The answer {how or 'to a JSON schema'} is not JSON: {error}.",
            partial=text,
            next_step="Allow more tokens, simplify the schema or use a larger model.",
        ) from error
    problem = next(iter(validator.iter_errors(value)), None)
    if problem is not None:
        where = "/".join(str(step) for step in problem.instance_path) or "the top"
        raise IncompleteAnswerError(
            f"The answer {how} breaks its JSON schema at {where}: {problem.message[:200]}.".replace("  ", " "),
            partial=text,
            next_step="Simplify the schema or use a larger model.",
        )


def check_schema(schema: Mapping[str, Any]) -> None:
    """Return quietly when it is a JSON schema that answers can be held against. Raises BadRequestError."""
    _validator(encode_schema(schema))


@lru_cache(maxsize=128)
def _validator(schema_json: str) -> Validator:
    """Compiled once a schema. A reference to another document is refused: validation must not open a connection."""
    import jsonschema_rs  # noqa: PLC0415 - 30 ms that a run without schemas does not pay

    try:
        return jsonschema_rs.validator_for(schema_json, retriever=_refuse)
    except ValueError as error:
        raise BadRequestError(
            f"The request's JSON schema is not valid: {str(error).splitlines()[0]}.",
            next_step="Correct the schema; this is a mistake in the program, not in the model.",
        ) from error


def _refuse(uri: str) -> Any:  # noqa: ANN401 - jsonschema-rs wants whatever JSON the address holds
    raise ValueError(f"{uri} is another document, and references to other documents are not followed")
