"""Nothing from outside reaches the terminal as anything but text."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from nonet.agents.plan import Plan, Routing, Subtask
from nonet.export import exported
from nonet.graphs.ask import AskResult
from nonet.graphs.budget import Limits
from nonet.graphs.events import (
    AttemptFinished,
    CallFinished,
    Event,
    Notice,
    PlanReady,
    RunFinished,
    RunStarted,
    SubtaskFinished,
    SubtaskStarted,
    SubtaskText,
)
from nonet.graphs.result import RunResult, RunUsage, SubtaskResult
from nonet.live import LiveView, PlainView
from nonet.render import ask_lines, console_for, deciding, plan_lines, result_lines, show, text
from nonet.specialists import Citation, Evidence, Verdict
from nonet.text import clean, one_line, to_json

DECEIVING = (
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u200b\u200c\u200d\u2060\ufeff\u00ad"
)
ATTACKS = ("\x1b[2J", "\x1b]0;t\x07", "\x9b31m", "[red]", "[/]", ":smile:", "\r\n", "\r", *DECEIVING)
NASTY = st.lists(
    st.one_of(
        st.characters(), st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), st.sampled_from(ATTACKS), st.text()
    ),
    max_size=12,
).map("".join)
slowly = settings(deadline=None, max_examples=40)
LIVE_MOVES = re.compile(r"\x1b\[(?:\?25[lh]|2K|1A|\d*A)|\r")
"""What rich itself writes to redraw a table without colour."""


def is_safe(text: str) -> bool:
    return not any(
        (unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} and char not in "\n\t") or char in DECEIVING
        for char in text
    )


@slowly
@given(NASTY)
def test_clean_text_is_safe_and_stays_clean(text: str) -> None:
    cleaned = clean(text)
    assert is_safe(cleaned)
    assert clean(cleaned) == cleaned
    assert "\n" not in one_line(text)


@slowly
@given(st.text(st.characters(categories=["L", "N", "P", "S", "M"])).filter(is_safe))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert clean(f"{text}\n\tétude 猫 🎻") == f"{text}\n\tétude 猫 🎻"


@slowly
@given(NASTY)
def test_json_is_safe_and_means_the_same(text: str) -> None:
    for ascii_only in (False, True):
        written = to_json({"text": text}, ascii_only=ascii_only)
        assert is_safe(written)
        assert "\n" not in written
        # Two halves that stand together are one character to JSON.
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        assert json.loads(written) == {"text": whole}


def plan_of(text: str) -> Plan:
    text = text.encode(errors="replace").decode()  # a plan holds no half surrogates: pydantic refuses them
    routing = Routing(method="lexical", sure=False, nearest=(text,))
    first = Subtask(id="s1", specialist=text, instruction=text or "x", documents=(text,), routing=routing)
    second = Subtask(id="s2", specialist="code", instruction=text or "x", inputs=("s1",))
    return Plan(planner=text, subtasks=(first, second), notes=(text,))


def result_of(text: str) -> RunResult:
    citation = Citation(text, text, 0, len(text))
    evidence = Evidence(text, passed=False, detail=text)
    subtask = SubtaskResult(
        id="s1",
        specialist=text,
        instruction=text,
        inputs=(),
        verdict=Verdict.FAILED,
        attempts=1,
        model=text,
        text=text,
        evidence=(evidence,),
        citations=(citation,),
    )
    return RunResult(
        run="abc",
        task=text,
        status=text,
        verdict=Verdict.FAILED,
        answer=text,
        plan=None,
        subtasks=(subtask,),
        citations=(citation,),
        usage=RunUsage(calls=1, swaps=1, escalations=2),
        notes=(text,),
        missing=(text,),
    )


def events_of(text: str) -> list[Event]:
    return [
        RunStarted(run=text, task=text, runtime=text, models=((text, text),)),
        PlanReady(run=text, plan=plan_of(text)),
        SubtaskStarted("s1", text, text, 1),
        SubtaskText("s1", text),
        Notice(text, text),
        AttemptFinished("s1", 1, text, Verdict.FAILED, text),
        SubtaskStarted("s1", text, text, 2),
        SubtaskText("s1", text),
        SubtaskFinished("s2", Verdict.VERIFIED, 1, 0.1, reused=True),
        RunFinished(run=text, status=text, verdict=Verdict.FAILED),
    ]


@slowly
@given(NASTY)
def test_results_and_plans_print_safely(text: str) -> None:
    stream = io.StringIO()
    console = console_for(stream)
    show(console, plan_lines(plan_of(text)))
    show(console, result_lines(result_of(text)))
    assert is_safe(stream.getvalue())


@slowly
@given(NASTY)
def test_the_plain_view_is_safe(text: str) -> None:
    stream = io.StringIO()
    with PlainView(stream) as view:
        for event in events_of(text):
            view(event)
    assert is_safe(stream.getvalue())


@slowly
@given(NASTY)
def test_the_live_table_is_safe(text: str) -> None:
    stream = io.StringIO()
    console = Console(
        file=stream, force_terminal=True, color_system=None, width=80, markup=False, emoji=False, highlight=False
    )
    view = LiveView(console)
    for event in events_of(text):
        view(event)
        console.print(view.renderable())
    assert is_safe(stream.getvalue())


def test_the_live_view_shows_what_is_spent_of_the_budget() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=120, color_system=None)
    view = LiveView(console)
    budget = Limits(max_calls=8, max_seconds=60.0, max_joules=500.0)
    view(RunStarted(run="r1", task="t", runtime="scripted", models=(), budget=budget))
    view(CallFinished(RunUsage(calls=3, prompt_tokens=900, completion_tokens=100, seconds=1.5, joules=41.0)))
    console.print(view.renderable())
    assert "run r1 on the scripted runtime: 3 of 8 calls, 1,000 tokens, 1.5 of 60 s, 41 of 500 J" in stream.getvalue()
    plain = io.StringIO()
    PlainView(plain)(RunStarted(run="r1", task="t", runtime="scripted", models=(), budget=budget))
    assert "at most 8 calls, 60 s, 500 J" in plain.getvalue()


def test_the_live_view_redraws_with_its_own_moves_only() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, color_system=None, width=200, _environ={"TERM": "xterm"})
    with LiveView(console, leave=True) as view:
        for event in events_of("\x1b[2J\x9b31m\u202eevil [bold]markup[/bold] :smile:"):
            view(event)
            with view.paused():
                pass
    written = stream.getvalue()
    assert is_safe(LIVE_MOVES.sub("", written))
    assert "[2J31mevil [bold]markup[/bold] :smile:" in written
    assert "kept from before" in written


def test_markup_and_emoji_codes_are_shown_as_they_are() -> None:
    stream = io.StringIO()
    show(console_for(stream), result_lines(result_of("[red]a[/red] :smile: https://example.org")))
    assert "[red]a[/red] :smile: https://example.org\n" in stream.getvalue()


def test_a_result_says_what_was_checked_and_what_it_cost() -> None:
    stream = io.StringIO()
    show(console_for(stream), result_lines(result_of("words")))
    text = stream.getvalue()
    assert "Verdict: failed" in text
    assert "1 call, 0 tokens, 0.0 s, 1 model swap, 2 escalations" in text
    assert "Missing: words" in text
    assert "words [0-5] “words”" in text
    assert "s1  words  failed  words  1 attempt  words: words" in text


SENTENCES = [
    {"text": "The dam was finished in 1988.", "missing": ["1988"]},
    {"text": "It holds water.", "missing": []},
    *({"text": f"Sentence {n} names [bold]Lindqvist[/bold].", "missing": ["lindqvist"]} for n in range(5)),
]
SECTIONS = "it stands on 1 of 2 sections; left out: Fishing"
SUMMARY = SubtaskResult(
    id="s3",
    specialist="summarization",
    instruction="Sum it up.",
    inputs=(),
    verdict=Verdict.UNVERIFIED,
    attempts=1,
    model="small",
    text="A summary.",
    evidence=(
        Evidence("support", passed=False, detail="not in the text: 1988, lindqvist"),
        Evidence("sections", passed=None, detail=SECTIONS),
    ),
    data={"coverage": {"sentences": SENTENCES}},
)
FLAGGED = [
    "not in the source: 1988 (in: “The dam was finished in 1988.”)",
    *(f"not in the source: lindqvist (in: “Sentence {n} names [bold]Lindqvist[/bold].”)" for n in range(3)),
    "and of 2 more sentences something is not in the source",
]


def printed(lines: list[Text]) -> str:
    stream = io.StringIO()
    show(console_for(stream), lines)
    return stream.getvalue()


def test_a_run_shows_which_sentences_say_what_is_not_in_the_source_and_which_sections_are_left_out() -> None:
    said = printed(result_lines(replace(result_of("words"), subtasks=(SUMMARY,)))).splitlines()
    at = next(at for at, line in enumerate(said) if line.startswith("  s3  summarization"))
    assert said[at + 1 : at + 7] == [f"  s3  {line}" for line in (SECTIONS, *FLAGGED)]


def test_one_specialist_alone_shows_them_beneath_its_checks() -> None:
    answer = AskResult(
        run="abc", specialist="summarization", model="small", verdict=Verdict.UNVERIFIED, output="A summary.",
        evidence=SUMMARY.evidence, citations=(), usage=RunUsage(), data=SUMMARY.data,
    )  # fmt: skip
    said = printed(ask_lines(answer)).splitlines()
    assert f"  not made  sections  {SECTIONS}" in said
    assert said[-6:-1] == [f"  {line}" for line in FLAGGED]


@pytest.mark.parametrize("data", [{"coverage": "all"}, {"coverage": {"sentences": [1, {"missing": "x"}]}}, {}])
def test_what_others_keep_under_the_same_names_is_no_flag(data: dict[str, Any]) -> None:
    assert "not in the source" not in printed(
        result_lines(replace(result_of("x"), subtasks=(replace(SUMMARY, data=data),)))
    )


def test_a_source_with_pages_is_shown_with_its_page() -> None:
    result = replace(result_of("words"), citations=(Citation("report.pdf", "The dam.", 27, 35, chunk=0, page=2),))
    assert "report.pdf [p. 2, 27-35] “The dam.”" in printed(result_lines(result))
    assert "- report.pdf [p. 2, 27-35]: “The dam.”" in exported([result], "md")


def test_a_long_answer_is_not_wrapped_where_nobody_looks_at_it() -> None:
    stream = io.StringIO()
    show(console_for(stream), result_lines(result_of("word " * 200)))
    assert "word " * 199 in stream.getvalue()


def test_a_terminal_wraps_prose_between_words_and_leaves_code_alone() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, color_system=None, width=20, _environ={"TERM": "xterm"})
    code = "    return " + "x" * 40
    show(console, [text(f"some words that are longer\n```\n{code}\n```\n\nand more prose that wraps")])
    assert stream.getvalue() == (f"some words that are \nlonger\n```\n{code}\n```\n\nand more prose that \nwraps\n")


@pytest.mark.parametrize(
    ("evidence", "says"),
    [
        ((), ""),
        (((True, "tests", "f(1) == 2"), (True, "tests", "f(2) == 4"), (True, "sandbox", "x")), "tests: 2 passed"),
        (((True, "coverage", "all"), (None, "length", "?")), "coverage: all"),
        (((True, "tests", "a"), (False, "tests", "b")), "tests: b"),
        (((None, "sandbox", "none here"),), "sandbox: none here"),
    ],
)
def test_what_decided(evidence: tuple[tuple[bool | None, str, str], ...], says: str) -> None:
    assert deciding([Evidence(kind, passed=passed, detail=detail) for passed, kind, detail in evidence]) == says


class Gone(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_a_run_goes_on_when_nobody_reads_its_progress() -> None:
    view = PlainView(Gone())
    for event in events_of("x"):
        view(event)
    assert view.run == "x"
