"""Plans of which something failed: what is tried instead, and that nothing is tried twice."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nonet.agents.documents import DocumentInfo
from nonet.agents.plan import Plan, Routing, Subtask
from nonet.agents.planner import RulePlanner
from nonet.agents.protocol import Planner, SoFar
from nonet.agents.router import Router
from nonet.specialists.general import GeneralSpecialist

NAMES = ("code", "retrieval", "summarization", "general")
EXAMPLES = {name: GeneralSpecialist.examples if name == "general" else () for name in NAMES}
NOTES = DocumentInfo("notes.md", "Notes", 100)
PLANNER: Planner = RulePlanner(Router(EXAMPLES))


def made(*subtasks: tuple[str, str, tuple[str, ...]], sure: bool = True) -> Plan:
    return Plan(
        planner="rules",
        subtasks=tuple(
            Subtask(
                id=f"s{number}",
                specialist=specialist,
                instruction=instruction,
                inputs=inputs,
                routing=Routing(method="lexical", sure=sure),
            )
            for number, (specialist, instruction, inputs) in enumerate(subtasks, 1)
        ),
    )


async def revise(plan: Plan, finished: set[str], *failed: str, earlier: tuple[Plan, ...] = ()) -> Plan | None:
    so_far = SoFar(plan, frozenset(finished), dict.fromkeys(failed, ("support",)), earlier)
    return await PLANNER.revise("the task", so_far, collection=[NOTES])


async def test_a_question_that_failed_step_by_step_is_asked_as_a_whole() -> None:
    question = "Who is the spouse of the director of Jump for Glory?"
    plan = await PLANNER.plan(question)
    assert len(plan.subtasks) == 2
    new = await revise(plan, set(), "s1", "s2")
    assert new is not None
    assert [(each.id, each.instruction, each.inputs) for each in new.subtasks] == [("s3", question, ())]


async def test_a_question_that_failed_as_a_whole_is_asked_step_by_step() -> None:
    question = "Who is the spouse of the director of Jump for Glory?"
    new = await revise(made(("retrieval", question, ())), set(), "s1")
    assert new is not None
    assert [each.id for each in new.subtasks] == ["s2", "s3"]
    assert new.subtasks[1].inputs == ("s2",)


async def test_an_unsure_choice_of_specialist_gives_way_to_the_next_best() -> None:
    plan = made(("code", "Find in the notes what the pump costs", ()), sure=False)
    new = await revise(plan, set(), "s1")
    assert new is not None
    assert (new.subtasks[0].id, new.subtasks[0].specialist) == ("s2", "retrieval")


async def test_a_sure_choice_is_not_rerouted() -> None:
    assert await revise(made(("code", "Find in the notes what the pump costs", ())), set(), "s1") is None


async def test_what_builds_on_several_goes_on_with_those_that_are_there() -> None:
    plan = made(
        ("retrieval", "Find the height of the mast", ()),
        ("retrieval", "Find the length of the hull", ()),
        ("summarization", "Sum up both", ("s1", "s2")),
    )
    new = await revise(plan, {"s1"}, "s2")
    assert new is not None
    assert [(each.id, each.inputs) for each in new.subtasks] == [("s1", ()), ("s3", ("s1",))]
    assert new.notes == ("s3 goes on without s2, which failed.",)


async def test_what_builds_on_the_failed_part_alone_does_not_go_on() -> None:
    plan = made(("retrieval", "Find the height of the mast", ()), ("summarization", "Sum it up", ("s1",)))
    assert await revise(plan, set(), "s1") is None


async def test_no_revision_repeats_an_earlier_plan() -> None:
    question = "Who is the spouse of the director of Jump for Glory?"
    steps = await PLANNER.plan(question)
    whole = await revise(steps, set(), "s1", "s2")
    assert whole is not None
    assert await revise(whole, set(), "s3", earlier=(steps,)) is None


@settings(max_examples=60, deadline=None)
@given(data=st.data())
async def test_revisions_keep_what_is_finished_and_come_to_an_end(data: st.DataObject) -> None:
    parts = ["Find the mast's height.", "Sum up both.", "Write a function `f()` that returns it.", "Tell me a joke."]
    parts.append("Who is the spouse of the director of Jump for Glory?")
    plan = await PLANNER.plan(" Then: ".join(data.draw(st.lists(st.sampled_from(parts), min_size=1, max_size=5))))
    earlier: list[Plan] = []
    for _ in range(40):
        ids = [each.id for each in plan.subtasks]
        failed = data.draw(st.sets(st.sampled_from(ids), min_size=1))
        finished = set(ids) - failed
        for each in plan.subtasks:  # what reads a failed result is not run
            if not finished.issuperset(each.inputs):
                finished.discard(each.id)
        new = await revise(plan, finished, *failed, earlier=tuple(earlier))
        if new is None:
            return
        new.check(frozenset(NAMES))
        kept = {each.id: each for each in new.subtasks}
        assert all(plan.subtask(name) == kept[name] for name in finished)
        earlier.append(plan)
        plan = new
    raise AssertionError("forty revisions and no end")


async def test_without_any_document_the_model_itself_is_asked() -> None:
    plan = made(("retrieval", "In which year was the bridge opened?", ()))
    so_far = SoFar(plan, frozenset(), {"s1": ("search",)})
    new = await PLANNER.revise("the task", so_far)
    assert new is not None
    assert [(each.id, each.specialist) for each in new.subtasks] == [("s2", "general")]
    assert await PLANNER.revise("the task", so_far, collection=[NOTES]) is None  # "nothing found" is the answer


async def test_what_fits_no_window_is_summed_up_first() -> None:
    plan = made(("general", "Is the plan in it any good?", ())).model_copy()
    long = plan.subtasks[0].model_copy(update={"documents": ("plan.md",)})
    plan = Plan(planner="rules", subtasks=(long,))
    new = await PLANNER.revise("the task", SoFar(plan, frozenset(), {"s1": ("context",)}))
    assert new is not None
    assert [(each.id, each.specialist, each.inputs, each.documents) for each in new.subtasks] == [
        ("s2", "summarization", (), ("plan.md",)),
        ("s3", "general", ("s2",), ()),
    ]
    again = SoFar(new, frozenset({"s2"}), {"s3": ("degeneration",)}, (plan,))
    assert await PLANNER.revise("the task", again) is None
