"""How the code specialist tries again: repairs, samples, keeps the best, and counts every call."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from fakes.desk import FakeDesk

from nonet.errors import IncompleteAnswerError, NonetError, RuntimeUnavailableError
from nonet.runtimes import ChatRequest, ModelInfo
from nonet.runtimes.scripted import ScriptedRuntime
from nonet.specialists import Assignment, Evidence, Outcome, Verdict
from nonet.specialists.code import CodeSpecialist
from nonet.specialists.code_loop import Tries
from nonet.specialists.sandbox.probe import find_sandbox

MODEL = "coder"
REQUEST = "Write `double`. It must satisfy double(2) == 4 and double(-1) == -2 and double(0) == 0."
GOOD = "def double(x):\n    return 2 * x"
SQUARE = "def double(x):\n    return x ** 2"
WRONG = "def double(x):\n    return 7"

pytestmark = pytest.mark.skipif(find_sandbox() is None, reason="no sandbox tier works here")


def answers(*codes: str | NonetError) -> FakeDesk:
    """A desk whose model gives these, in order; an error is raised in its place."""
    left = list(codes)

    def answer(_request: ChatRequest) -> str:
        given = left.pop(0)
        if isinstance(given, NonetError):
            raise given
        return f"```python\n{given}\n```"

    runtime = ScriptedRuntime(answer, models=(ModelInfo(MODEL, 4096),))
    return FakeDesk(runtime, MODEL, sandbox=find_sandbox())


async def work(desk: FakeDesk, *, tries: Tries | None = None, **fields: object) -> Outcome:
    assignment = Assignment(REQUEST, **fields)  # type: ignore[arg-type]
    return await CodeSpecialist(tries=tries).work(assignment, desk)


def temperatures(desk: FakeDesk) -> Sequence[float]:
    return [request.temperature for request in desk.requests]


async def test_one_call_where_the_first_answer_passes() -> None:
    desk = answers(GOOD)
    outcome = await work(desk)
    assert outcome.verdict is Verdict.VERIFIED
    assert temperatures(desk) == [0.0]
    assert outcome.data["tries"] == ["first answer: verified"]


async def test_a_repair_sees_the_code_and_what_was_wrong() -> None:
    desk = answers(SQUARE, GOOD)
    outcome = await work(desk)
    assert outcome.verdict is Verdict.VERIFIED
    repair = desk.requests[1].messages
    assert [message.role for message in repair] == ["user", "assistant", "user"]
    assert SQUARE in repair[1].content
    assert "double(-1) == -2: got 1, expected -2" in repair[2].content
    assert outcome.data["tries"] == ["first answer: failed", "repair 1: verified"]
    assert Evidence("tries", passed=None, detail="the best of 2 answers: the repair 1") in outcome.evidence


async def test_a_repair_sees_the_line_of_the_traceback() -> None:
    desk = answers("def double(x):\n    y = x / 0\n    return y", GOOD)
    await work(desk)
    assert "ZeroDivisionError: division by zero (line 2: y = x / 0)" in desk.requests[1].messages[2].content


async def test_after_a_repair_that_repeats_itself_others_are_sampled() -> None:
    desk = answers(SQUARE, SQUARE, SQUARE, WRONG, GOOD)
    outcome = await work(desk)
    assert outcome.verdict is Verdict.VERIFIED
    assert temperatures(desk)[:3] == [0.0, 0.0, 0.0]
    assert all(temperature > 0.5 for temperature in temperatures(desk)[3:])
    seeds = [request.seed for request in desk.requests[3:]]
    assert len(set(seeds)) == len(seeds)
    assert len(desk.requests[3].messages) == 1  # samples start anew, unbiased by what was wrong


async def test_no_model_is_worse_off_than_alone() -> None:
    """Some solve only what they may explain first: before others are sampled the request goes out as it is."""
    desk = answers(SQUARE, SQUARE, GOOD)
    outcome = await work(desk)
    assert outcome.verdict is Verdict.VERIFIED
    assert [message.content for message in desk.requests[2].messages] == [REQUEST]
    assert outcome.data["tries"][-1] == "request alone: verified"


async def test_the_best_is_kept_even_when_none_passes() -> None:
    desk = answers(WRONG, WRONG, WRONG, SQUARE, WRONG, WRONG, WRONG)
    outcome = await work(desk)
    assert outcome.verdict is Verdict.FAILED
    assert SQUARE in outcome.text  # passes two of the three
    assert len(desk.requests) == 7


async def test_the_next_model_is_told_what_was_wrong_before_it() -> None:
    wrong = Evidence("tests", passed=False, detail="double(3) == 6: it gave 9")
    desk = answers(GOOD)
    await work(desk, feedback=(wrong, Evidence("sandbox", passed=True, detail="it ran")))
    asked = desk.requests[0].messages[-1].content
    assert "Earlier answers did not pass their checks: double(3) == 6: it gave 9" in asked
    assert "it ran" not in asked
    desk = answers(GOOD)
    await work(desk, feedback=(wrong,), attempt=2)
    assert "Earlier answers" not in desk.requests[0].messages[-1].content, "the same model samples others"


async def test_the_next_attempt_samples_others() -> None:
    first, second = answers(*[WRONG] * 7), answers(*[WRONG] * 7)
    await work(first)
    outcome = await work(second, attempt=2, previous=WRONG, feedback=(Evidence("tests", passed=False, detail="x"),))
    assert outcome.verdict is Verdict.FAILED
    assert all(temperature > 0.5 for temperature in temperatures(second))
    assert not {request.seed for request in first.requests[3:]} & {request.seed for request in second.requests}


async def test_the_calls_of_an_attempt_are_bounded() -> None:
    desk = answers(*[WRONG] * 9)
    await work(desk, tries=Tries(repairs=1, samples=2))
    assert len(desk.requests) == 5


async def test_without_a_test_there_is_nothing_to_try_again_for() -> None:
    desk = answers(WRONG)
    outcome = await CodeSpecialist().work(Assignment("Write a function called `double`."), desk)
    assert outcome.verdict is Verdict.UNVERIFIED
    assert len(desk.requests) == 1


async def test_a_call_that_fails_later_keeps_what_there_is() -> None:
    outcome = await work(answers(SQUARE, IncompleteAnswerError("The answer has no end.")))
    assert outcome.verdict is Verdict.FAILED
    assert SQUARE in outcome.text
    assert any("The answer has no end." in item.detail for item in outcome.evidence)


async def test_a_first_call_that_fails_is_an_error() -> None:
    with pytest.raises(IncompleteAnswerError):
        await work(answers(IncompleteAnswerError("The answer has no end.")))


async def test_a_server_that_is_gone_is_an_error() -> None:
    with pytest.raises(RuntimeUnavailableError):
        await work(answers(SQUARE, RuntimeUnavailableError("No server answers.")))


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("def double(x):\n    if x > 10:\n        return undefined_name\n    return 2 * x", "undefined name"),
        ("import subprocess\ndef double(x):\n    return 2 * x", "it imports subprocess"),
    ],
)
async def test_what_tests_do_not_reach_is_found_without_running(code: str, detail: str) -> None:
    desk = answers(code, GOOD)
    outcome = await work(desk)
    assert outcome.verdict is Verdict.VERIFIED
    assert detail in desk.requests[1].messages[2].content


async def test_what_reaches_out_may_be_asked_for() -> None:
    code = "import urllib.request\ndef fetch(url):\n    return urllib.request.urlopen(url).read()"
    outcome = await CodeSpecialist().work(Assignment("Write `fetch(url)` that downloads a web page."), answers(code))
    assert outcome.verdict is Verdict.UNVERIFIED


async def test_every_verdict_names_the_tier() -> None:
    sandbox = find_sandbox()
    assert sandbox is not None
    raising = "raise ValueError"
    for desk in (
        answers(GOOD),
        *(answers(*[code] * 7) for code in (WRONG, "def double(:", raising, f"{raising}\n{GOOD}")),
    ):
        outcome = await work(desk)
        assert outcome.data["sandbox"] == sandbox.tier
        assert any(f"{sandbox.tier} sandbox" in item.detail for item in outcome.evidence)


UNTESTED = "Write a function called `double` that doubles a number."
DRAFTS = "assert double(2) == 4\nassert double(0) == 0\nassert double(-3) == -6"


async def by_drafts(*codes: str) -> tuple[Outcome, FakeDesk]:
    desk = answers(*codes)
    tries = Tries(unproved_samples=2)
    return await CodeSpecialist(tries=tries).work(Assignment(UNTESTED), desk), desk


async def test_drafted_tests_choose_among_answers_and_prove_nothing() -> None:
    outcome, desk = await by_drafts(SQUARE, DRAFTS, GOOD)
    assert outcome.verdict is Verdict.UNVERIFIED
    assert GOOD in outcome.text
    assert [item.detail for item in outcome.evidence if item.kind == "drafts"] == [
        "of 3 tests that the model drafted from the request it passes 3: no proof"
    ]
    assert not any(item.kind == "tests" and item.passed for item in outcome.evidence)
    assert SQUARE not in desk.prompts[1]  # drafted without sight of the code
    assert len(desk.requests) == 3


async def test_the_first_answer_stands_where_drafts_do_not_tell_answers_apart() -> None:
    outcome, _ = await by_drafts(GOOD, "assert double(1) == 3", SQUARE, WRONG)
    assert GOOD in outcome.text


async def test_drafts_that_are_no_tests_change_nothing() -> None:
    outcome, desk = await by_drafts(GOOD, "I would test it with care.")
    assert GOOD in outcome.text
    assert len(desk.requests) == 2


async def test_a_pass_that_may_be_luck_is_not_verified() -> None:
    request = "Write a function `is_even`. It must satisfy is_even(2) == True."
    wrong, lucky = "def is_even(n):\n    return n > 2", "def is_even(n):\n    return n < 3"
    outcome = await CodeSpecialist().work(Assignment(request), answers(wrong, wrong, lucky))
    assert outcome.verdict is Verdict.UNVERIFIED
    assert lucky in outcome.text
    [doubt] = [item for item in outcome.evidence if item.kind == "luck"]
    assert doubt.detail == "answer number 3 was the first to pass, and 1 test of yes or no may be passed by luck"

    first = await CodeSpecialist().work(Assignment(request), answers(lucky))
    assert first.verdict is Verdict.VERIFIED


@pytest.mark.parametrize(
    ("tests", "doubt"),
    [
        ("f(0) == 0", "the test is passed by any function that always returns 0: no proof"),
        ("f([], 3) == []", "the test is passed by any function that always returns []: no proof"),
        ("f('') is None", "the test is passed by any function that always returns None: no proof"),
        ("f('ab') == 'ab'", "the test is passed by any function that returns its first argument as it is: no proof"),
        ("f(0) == 0 and f(1) == 1", "the 2 tests are passed by any function that returns its first argument"),
        ("f(2, 3) > 2", "the test is passed by any function that returns its second argument as it is: no proof"),
        ("f(0) == 0 and f(2) == 4", None),
        ("f(4) == 16", None),
        ("f() == 0", None),
    ],
)
async def test_a_pass_that_a_function_without_a_body_would_make_is_no_proof(tests: str, doubt: str | None) -> None:
    calls = {"f(0)": 0, "f(1)": 1, "f(2)": 4, "f(4)": 16, "f([], 3)": [], "f('')": None, "f('ab')": "ab", "f(2, 3)": 9}
    table = ", ".join(f"{call[2:-1]!r}: {value!r}" for call, value in calls.items())
    code = f"def f(*given):\n    return {{{table}}}.get(', '.join(map(repr, given)), 0)"
    desk = answers(code)
    outcome = await CodeSpecialist().work(Assignment(f"Write a Python function `f`. It must satisfy {tests}."), desk)
    assert outcome.verdict is (Verdict.UNVERIFIED if doubt else Verdict.VERIFIED), outcome
    doubts = [item for item in outcome.evidence if item.kind == "luck"]
    assert [item.passed for item in doubts] == ([False] if doubt else [])
    assert not doubt or doubts[0].detail.startswith(doubt)
    assert len(desk.requests) == 1


async def test_code_that_never_looks_at_its_arguments_is_not_verified() -> None:
    request = "Write a Python function `double`. It must satisfy double(4) == 8."
    outcome = await CodeSpecialist().work(Assignment(request), answers("def double(x):\n    return 8"))
    assert outcome.verdict is Verdict.UNVERIFIED
    [doubt] = [item for item in outcome.evidence if item.kind == "luck"]
    assert (doubt.passed, doubt.detail) == (False, "double passes without a look at its arguments: no proof")
    honest = await CodeSpecialist().work(Assignment(request), answers("def double(x):\n    return x + 4"))
    assert honest.verdict is Verdict.VERIFIED


@pytest.mark.parametrize(
    ("tests", "verdict"),
    [
        ("is_even(2) == True and is_even(4) == True and is_even(0) == True", Verdict.UNVERIFIED),
        ("is_even(2) == True and is_even(3) == False and is_even(7) == False", Verdict.VERIFIED),
    ],
)
async def test_tests_that_a_constant_passes_are_worth_one(tests: str, verdict: Verdict) -> None:
    request = f"Write a function `is_even`. It must satisfy {tests}."
    wrong, right = "def is_even(n):\n    return None", "def is_even(n):\n    return n % 2 == 0"
    second = await CodeSpecialist().work(Assignment(request), answers(wrong, right))
    assert second.verdict is verdict


ONE_TEST = "Write `double`. It must satisfy double(2) == 4."
SUM = "def double(x):\n    return x + x"


async def one_test(*codes: str | NonetError, second_looks: int = 2) -> tuple[Outcome, FakeDesk]:
    desk = answers(*codes)
    return await CodeSpecialist(tries=Tries(second_looks=second_looks)).work(Assignment(ONE_TEST), desk), desk


async def test_a_first_answer_that_passes_one_test_is_not_asked_for_again() -> None:
    outcome, desk = await one_test(SQUARE)
    assert outcome.verdict is Verdict.VERIFIED
    assert len(desk.requests) == 1


async def test_what_passes_one_test_late_is_doubted() -> None:
    outcome, desk = await one_test(WRONG, SQUARE, second_looks=0)
    assert outcome.verdict is Verdict.UNVERIFIED
    assert SQUARE in outcome.text
    assert len(desk.requests) == 2
    [seen] = [item for item in outcome.evidence if item.kind == "agreement"]
    assert seen == Evidence("agreement", passed=False, detail="only 1 of 2 answers passes the one test that there is")


async def test_what_passes_one_test_late_needs_another_that_does_the_same() -> None:
    outcome, desk = await one_test(WRONG, GOOD, SUM)
    assert outcome.verdict is Verdict.VERIFIED
    assert [request.messages[-1].content for request in desk.requests][2] == ONE_TEST  # the request alone
    [seen] = [item for item in outcome.evidence if item.kind == "agreement"]
    assert seen.passed
    assert seen.detail == "another answer that passes gives the same on 100% of other calls like the test's"


async def test_of_answers_that_pass_one_test_late_those_that_agree_are_taken() -> None:
    outcome, desk = await one_test(WRONG, SQUARE, GOOD, SUM)
    assert outcome.verdict is Verdict.VERIFIED
    assert GOOD in outcome.text
    assert len(desk.requests) == 4


async def test_what_passes_one_test_late_and_alone_is_doubted() -> None:
    outcome, desk = await one_test(WRONG, SQUARE, WRONG, WRONG)
    assert outcome.verdict is Verdict.UNVERIFIED
    assert SQUARE in outcome.text
    assert len(desk.requests) == 4
    [seen] = [item for item in outcome.evidence if item.kind == "agreement"]
    assert seen == Evidence("agreement", passed=False, detail="only 1 of 4 answers passes the one test that there is")


async def test_a_second_look_that_breaks_off_keeps_what_passed() -> None:
    outcome, _ = await one_test(WRONG, GOOD, IncompleteAnswerError("gone"))
    assert outcome.verdict is Verdict.VERIFIED
    assert GOOD in outcome.text
