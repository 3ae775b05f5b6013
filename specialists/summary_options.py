"""How a summary is to be, as typed options: what they say counts for more than the words of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from nonet.errors import UsageError
from nonet.specialists.forms import LANGUAGES, FormName, StyleName

TAKES_THEM = "summarization"
"""The specialist that the options are for."""
_MOST = 9_999
_LONGEST_FOCUS = 400
_SHORT = 40
_IN_ROWS = ("table", "comparison")
_AS_POINTS = ("bullets", "timeline")


def _known(language: str) -> str:
    name = language.strip().capitalize()
    if name not in LANGUAGES:
        raise ValueError(f"is one of {', '.join(LANGUAGES)}")
    return name


Count = Annotated[int, Field(ge=1, le=_MOST)]
Language = Annotated[str, AfterValidator(_known)]
Focus = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=_LONGEST_FOCUS)]


class SummaryOptions(BaseModel):
    """How a summary is to be. What is left unset is as the request says, or as fits the text.

    Raises:
        pydantic.ValidationError: an unknown value, or two that exclude each other.

    Examples:
        >>> from nonet import SummaryOptions
        >>> SummaryOptions(form="table", sentences=2, language="german").language
        'German'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    words: Count | None = None
    """At most so many, in whole sentences; of a table or comparison: of all its rows together."""
    sentences: Count | None = None
    """At most so many; of a table or comparison: in each row; of a timeline: entries."""
    bullets: Count | None = None
    """As bullet points of a sentence each, at most so many; of a timeline: entries."""
    paragraphs: Count | None = None
    """At most so many."""
    form: FormName | None = None
    """prose, bullets, abstract (one paragraph), table (a row a section, or a document where there are several),
    comparison (a row a document, with what it has alone), or timeline (the dated sentences, in the order of time)."""
    style: StyleName | None = None
    """plain (for anybody), formal, or technical (for experts)."""
    language: Language | None = None
    """Its English name, such as "German"."""
    focus: Focus | None = None
    """What it is to speak of: a subject ("the boiler") or a question."""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if clash := contradiction(self.model_dump(exclude_none=True)):
            raise ValueError(clash)
        return self


def contradiction(values: Mapping[str, Any]) -> str:
    """Which two of some options exclude each other, in words; empty where all can be had together."""
    form = values.get("form")
    if "bullets" in values and form not in (None, *_AS_POINTS):
        return f"bullets and the form {form} exclude each other: bullets go with the forms {' and '.join(_AS_POINTS)}"
    if "bullets" in values and "sentences" in values:
        return "bullets and sentences exclude each other: a bullet point is one sentence"
    if "paragraphs" in values and ("bullets" in values or form in (*_AS_POINTS, *_IN_ROWS)):
        return f"paragraphs and {'bullets' if 'bullets' in values else f'the form {form}'} exclude each other"
    if form == "abstract" and values.get("paragraphs", 1) > 1:
        return "the form abstract and paragraphs exclude each other: an abstract is one paragraph"
    return ""


def options_of(values: Mapping[str, Any], *, prefix: str = "") -> SummaryOptions | None:
    """The options among what was given; None where nothing was.

    Args:
        values: by name; None stands for not given.
        prefix: of the names in an error, such as "--".

    Raises:
        UsageError: one cannot be, or two exclude each other; names what can be.
    """
    given = {name: value for name, value in values.items() if value is not None}
    if not given:
        return None
    try:
        return SummaryOptions.model_validate(given)
    except ValidationError as error:
        raise UsageError(f"{_told(error, prefix)}.", next_step="`nonet ask --help` tells each option.") from error


def _told(error: ValidationError, prefix: str) -> str:
    found = error.errors(include_url=False, include_context=False)[0]
    message = found["msg"].removeprefix("Value error, ").replace("Input should", "should", 1)
    if not found["loc"]:
        return message[:1].upper() + message[1:]
    shown = repr(found["input"])
    shown = shown if len(shown) <= _SHORT else f"{shown[: _SHORT - 3]}..."
    return f"{prefix}{found['loc'][0]} {message}, not {shown}"


def check_taker(specialist: str, options: SummaryOptions | None, *, prefix: str = "") -> None:
    """Raise UsageError where options are given to what makes no summaries."""
    if options is not None and specialist != TAKES_THEM:
        names = [f"{prefix}{name}" for name in options.model_dump(exclude_none=True)]
        raise UsageError(
            f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} for the {TAKES_THEM} specialist, "
            f"not for {specialist!r}.",
            next_step=f"Give the work to {TAKES_THEM}, or say in the instruction how the answer is to be.",
        )
