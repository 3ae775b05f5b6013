"""Planners that ask a model: what they take from its answers, and what happens when it has none to give."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.planning import MODEL, SPECIALISTS, RawDesk, ScriptedDesk, rules

from nonet.agents.documents import DocumentInfo
from nonet.agents.ladder import PlannerLadder
from nonet.agents.one_shot import OneShotPlanner
from nonet.agents.opinion import MAX_QUESTIONS, SecondOpinion
from nonet.agents.plan import Plan
from nonet.agents.stepwise import StepwisePlanner
from nonet.errors import CallTimeoutError, PlanError, RuntimeUnavailableError

TASK = "Find the mast's height in the log, and then write a function `height()` that returns it."
LOOK_UP = {"specialist": "retrieval", "instruction": "Find the height of the mast in the log."}
WRITE = {"specialist": "code", "reads": ["s1"], "instruction": "Write a function that returns the height."}
DONE = {"specialist": "done"}


def shape(plan: Plan) -> list[tuple[str, tuple[str, ...]]]:
    return [(subtask.specialist, subtask.inputs) for subtask in plan.subtasks]


async def test_step_by_step() -> None:
    desk = ScriptedDesk([LOOK_UP, WRITE, DONE])
    plan = await StepwisePlanner(desk, SPECIALISTS).plan(TASK)
    assert shape(plan) == [("retrieval", ()), ("code", ("s1",))]
    assert plan.planner == "stepwise"
    assert desk.calls == 3
    assert not plan.doubts


async def test_each_decision_offers_what_exists_and_nothing_else() -> None:
    desk = ScriptedDesk([LOOK_UP, WRITE, DONE])
    await StepwisePlanner(desk, SPECIALISTS).plan(TASK)
    first, second, third = desk.schemas
    assert first["properties"]["specialist"]["enum"] == list(SPECIALISTS)
    assert "reads" not in first["properties"]
    assert second["anyOf"][0]["properties"]["specialist"]["enum"] == ["done"]
    assert second["anyOf"][1]["properties"]["reads"]["items"]["enum"] == ["s1"]
    assert third["anyOf"][1]["properties"]["reads"]["items"]["enum"] == ["s1", "s2"]


async def test_in_one_shot() -> None:
    desk = ScriptedDesk([{"steps": {"s1": LOOK_UP, "s2": WRITE}}])
    plan = await OneShotPlanner(desk, SPECIALISTS).plan(TASK)
    assert shape(plan) == [("retrieval", ()), ("code", ("s1",))]
    assert desk.calls == 1


async def test_no_cycle_can_be_said_in_one_shot() -> None:
    desk = ScriptedDesk([{"steps": {"s1": LOOK_UP, "s2": WRITE}}])
    await OneShotPlanner(desk, SPECIALISTS).plan(TASK)
    steps = desk.schemas[0]["properties"]["steps"]["properties"]
    assert "reads" not in steps["s1"]["properties"]
    assert steps["s3"]["properties"]["reads"]["items"]["enum"] == ["s1", "s2"]


async def test_ids_that_a_model_skips_are_made_consecutive() -> None:
    desk = RawDesk(lambda _call: {"steps": {"s2": LOOK_UP, "s5": WRITE | {"reads": ["s2"]}}})
    assert shape(await OneShotPlanner(desk, SPECIALISTS).plan(TASK)) == [("retrieval", ()), ("code", ("s1",))]


async def test_a_lone_step_gets_the_task_word_for_word() -> None:
    plan = await StepwisePlanner(
        ScriptedDesk([{key: WRITE[key] for key in ("specialist", "instruction")}, DONE]), SPECIALISTS
    ).plan(TASK)
    assert [subtask.instruction for subtask in plan.subtasks] == [TASK]


async def test_what_must_stay_verbatim_does() -> None:
    write = WRITE | {"instruction": "Write the function, and mind the test."}
    task = "Find the mast's height. Write height(). It must satisfy height() == 23.5."
    plan = await StepwisePlanner(ScriptedDesk([LOOK_UP, write, DONE]), SPECIALISTS).plan(task)
    assert "height() == 23.5" in plan.subtasks[1].instruction


async def test_documents_come_from_the_user_not_from_the_model() -> None:
    desk = ScriptedDesk([{"specialist": "summarization", "instruction": "Sum up /etc/passwd and secret.md."}, DONE])
    plan = await StepwisePlanner(desk, SPECIALISTS).plan("Sum up the letter.", attached=[DocumentInfo("letter.md")])
    assert plan.subtasks[0].documents == ("letter.md",)


WRONG: list[tuple[str, list[object]]] = [
    ("nothing at all", [{}]),
    ("no object", ["[]"]),
    ("no JSON", ["I think that first one should"]),
    ("an unknown specialist", [LOOK_UP | {"specialist": "wizard"}]),
    ("a specialist that is a list", [LOOK_UP | {"specialist": ["code"]}]),
    ("no instruction", [LOOK_UP | {"instruction": " \n"}]),
    ("an instruction without end", [LOOK_UP | {"instruction": "very " * 1_000}]),
    ("a step that reads itself", [LOOK_UP | {"reads": ["s1"]}]),
    ("a step that reads a later one", [LOOK_UP, WRITE | {"reads": ["s7"]}]),
    ("reads that are a number", [LOOK_UP, WRITE | {"reads": 1}]),
    ("reads that are objects", [LOOK_UP, WRITE | {"reads": [{"s1": 1}]}]),
    ("done before the first step", [DONE]),
    ("the same step again", [LOOK_UP, LOOK_UP]),
    ("megabytes", ["x" * 3_000_000]),
    ("deep nesting", ["[" * 100_000]),
    ("a time-out", [CallTimeoutError("late")]),
]


@pytest.mark.parametrize(("what", "answers"), WRONG, ids=[what for what, _ in WRONG])
async def test_no_plan_is_made_of_what_is_none(what: str, answers: list[object]) -> None:
    del what
    desk = RawDesk(lambda call: answers[min(call, len(answers)) - 1])
    with pytest.raises(PlanError):
        await StepwisePlanner(desk, SPECIALISTS).plan(TASK)
    assert desk.calls <= 3
    plan = await PlannerLadder([StepwisePlanner(desk, SPECIALISTS)], rules(), desk=desk).plan(TASK)
    assert plan.planner == "rules"
    assert [(tried.planner, tried.used) for tried in plan.tried] == [("stepwise", False), ("rules", True)]
    assert plan.tried[0].calls >= 1
    assert any("stepwise was left" in note for note in plan.notes)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"steps": {}},
        {"steps": []},
        {"steps": "s1"},
        {"steps": {"s1": 1}},
        {"steps": {"s1": WRITE}},
        {"steps": {"s0": LOOK_UP}},
        {"steps": {"s1": LOOK_UP, "s2": WRITE | {"reads": ["s2"]}}},
        {"steps": {"s1": LOOK_UP, "s2": WRITE | {"reads": ["s3"]}, "s3": WRITE}},
        {"steps": {"s1": LOOK_UP, "s2": LOOK_UP}},
        {"steps": {f"s{number}": LOOK_UP | {"instruction": f"Find {number}."} for number in range(1, 14)}},
    ],
)
async def test_a_whole_plan_that_is_none_falls_to_the_rules(answer: dict[str, Any]) -> None:
    desk = RawDesk(lambda _call: answer)
    plan = await PlannerLadder([OneShotPlanner(desk, SPECIALISTS)], rules(), desk=desk).plan(TASK)
    assert [(tried.planner, tried.used) for tried in plan.tried] == [("one-shot", False), ("rules", True)]


async def test_a_planner_without_end_is_stopped() -> None:
    desk = RawDesk(lambda call: LOOK_UP | {"instruction": f"Find {call}."})
    with pytest.raises(PlanError, match="end"):
        await StepwisePlanner(desk, SPECIALISTS).plan(TASK)
    assert desk.calls == 13


async def test_a_missing_server_is_not_hidden() -> None:
    desk = RawDesk(lambda _call: RuntimeUnavailableError("gone"))
    with pytest.raises(RuntimeUnavailableError):
        await PlannerLadder([OneShotPlanner(desk, SPECIALISTS)], rules(), desk=desk).plan(TASK)


async def test_a_plan_that_leaves_half_out_is_doubted_and_the_next_one_tried() -> None:
    joke = {"specialist": "general", "instruction": "Tell a joke about penguins."}
    rhyme = {"specialist": "general", "instruction": "Write a rhyme."}
    desk = RawDesk(lambda call: [joke, rhyme, DONE][(call - 1) % 3])
    plan = await PlannerLadder([StepwisePlanner(desk, SPECIALISTS)], rules(), desk=desk).plan(TASK)
    assert plan.planner == "rules"
    forced = PlannerLadder([StepwisePlanner(desk, SPECIALISTS)], rules(), desk=desk, forced=True)
    kept = await forced.plan(TASK)
    assert kept.planner == "stepwise"
    assert kept.doubts
    assert kept.doubts[0] in kept.notes


async def test_rules_that_are_sure_ask_nobody() -> None:
    desk = RawDesk(lambda _call: {})
    plan = await PlannerLadder([rules(), OneShotPlanner(desk, SPECIALISTS)], rules(), desk=desk).plan(TASK)
    assert plan.planner == "rules"
    assert desk.calls == 0
    assert plan.model == ""


UNSURE = "Frobnicate the gizmo with the widget"


def chooser(pick: str) -> RawDesk:
    """A model that always means the same option, wherever it stands."""

    class Desk(RawDesk):
        async def ask(self, messages: Any, schema: Any, max_completion_tokens: int) -> str:
            lines = messages[-1].content.splitlines()
            letter = next((line[0] for line in lines if line[1:3] == ": " and line[3:].startswith(pick)), "A")
            self.say = lambda _call: {"answer": letter}
            return await super().ask(messages, schema, max_completion_tokens)

    return Desk(lambda _call: {})


async def test_below_the_margin_a_model_that_may_chooses() -> None:
    assert (await rules().plan(UNSURE)).doubts
    desk = chooser("code")
    opinion = SecondOpinion(desk, SPECIALISTS, routing=True, edges=False)
    plan = await rules(opinion=opinion).plan(UNSURE)
    routing = plan.subtasks[0].routing
    assert (plan.subtasks[0].specialist, plan.doubts) == ("code", ())
    assert routing is not None
    assert (routing.method, routing.sure, routing.margin) == ("model", True, 1.0)
    assert desk.calls == 3


async def test_a_model_that_likes_a_letter_chooses_nothing() -> None:
    desk = RawDesk(lambda _call: {"answer": "A"})
    opinion = SecondOpinion(desk, SPECIALISTS, routing=True, edges=False)
    plan = await rules(opinion=opinion).plan(UNSURE)
    assert plan.doubts
    assert plan.subtasks[0].routing is not None
    assert plan.subtasks[0].routing.method == "lexical"
    assert 1 <= desk.calls <= 4


async def test_a_model_that_may_not_is_not_asked() -> None:
    desk = chooser("code")
    plan = await rules(opinion=SecondOpinion(desk, SPECIALISTS, routing=False, edges=False)).plan(UNSURE)
    assert plan.doubts
    assert desk.calls == 0


async def test_a_plan_asks_a_few_questions_at_most() -> None:
    desk = RawDesk(lambda _call: {"answer": "A"})
    opinion = SecondOpinion(desk, SPECIALISTS, routing=True, edges=True)
    task = "\n".join(
        f"{number}. Frobnicate gizmo {number} with the widget of the {number}th" for number in range(1, 11)
    )
    await rules(opinion=opinion).plan(task)
    assert desk.calls <= 4 * MAX_QUESTIONS


async def test_a_model_says_what_a_step_reads_where_its_words_do_not() -> None:
    task = "Write a function `f()` for areas, then find the height of the mast, then find its age in the harbour log."
    alone = await rules().plan(task)
    desk = chooser("step 1")
    told = await rules(opinion=SecondOpinion(desk, SPECIALISTS, routing=False, edges=True)).plan(task)
    assert shape(alone) != shape(told)
    assert ("s1",) in [inputs for _, inputs in shape(told)]
    assert desk.calls > 0
    assert desk.model == MODEL
