"""The parts of `nonet eval`: samples, grades, statistics, forms, pictures."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonet.agents.calibration import Interval
from nonet.errors import UsageError
from nonet.eval.chart import Bar, to_svg
from nonet.eval.grading import code_of, grade, likelihood, token_f1
from nonet.eval.items import Answer, Answers, Graph, Item, References, UnitTests, digest, sample
from nonet.eval.judging import open_pairs, verdicts
from nonet.eval.plans import compare_plans
from nonet.eval.reading import default_folder, read_suite
from nonet.eval.statistics import cohens_kappa, compare_scores, mean_of, sign_test
from nonet.eval.suites import DEFAULT, SUITES, check_arms
from nonet.eval.summary import compare, summarize
from nonet.runtimes.scoring import score_tokens
from nonet.specialists.sandbox.probe import find_sandbox
from nonet.store import EvalChoice, EvalItem, EvalRecord


def item(name: str, group: str = "g", *checks: Answers | UnitTests | References) -> Item:
    return Item(name, group, f"Ask {name}.", checks or (Answers(("x",)),))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(1, 40), st.integers(0, 5))
def test_a_larger_sample_begins_with_the_smaller_one_and_groups_take_turns(
    groups: list[int], count: int, seed: int
) -> None:
    items = [item(str(at), str(group)) for at, group in enumerate(groups)]
    chosen = sample(items, count, seed)
    assert sample(items, 0, seed)[: len(chosen)] == chosen
    assert len({each.id for each in chosen}) == len(chosen) == min(count, len(items))
    first = {each.group for each in chosen[: len(set(groups))]}
    assert len(first) == min(len(chosen), len(set(groups)))


def test_the_digest_tells_any_change() -> None:
    one = [Item("a", "g", "q", (Answers(("x",)),), collection={"d": "text"})]
    other = [Item("a", "g", "q", (Answers(("x",)),), collection={"d": "texT"})]
    assert digest(one) == digest(list(one)) != digest(other)


@pytest.mark.parametrize(
    ("text", "right", "exact"),
    [
        ("Ada Lovelace", 1, 1),
        ("It was Ada Lovelace!", 1, 0),
        ("Adam Lovelace", 0, 0),
        ("```\nthe Ada, Lovelace\n```", 1, 1),
    ],
)
async def test_answers_are_compared_as_squad_does(text: str, right: float, exact: float) -> None:
    asked = Item("a", "g", "Who?", (Answers(("Ada Lovelace",)),), "retrieval")
    scores = await grade(asked, Answer(text, facts={"quotes": ["by Ada Lovelace in 1843"]}), None)
    assert (scores["right"], scores["exact"], scores["quoted"]) == (right, exact, 1.0)


async def test_code_is_run_and_a_forged_pass_is_none() -> None:
    sandbox = find_sandbox()
    assert sandbox is not None
    asked = Item("a", "g", "Write f.", (UnitTests((), ("assert f(2) == 4",)),), "code")
    good = "Here:\n```python\ndef f(x):\n    return 2 * x\n```\nFor example:\n```\nf(2) gives 4\n```\n"
    forged = "```python\nimport os\nprint('passed')\nos._exit(0)\n```"
    for text, passed in ((good, 1.0), (forged, 0.0), ("```python\ndef f(x):\n    return x\n```", 0.0), ("", 0.0)):
        assert (await grade(asked, Answer(text), sandbox))["passed"] == passed, text


async def test_a_whole_task_passes_when_all_its_checks_do() -> None:
    checks = (Answers(("HL-3318",)), References(("the pump was replaced by Haldor",), "rouge1-any"))
    both = "## 1\n\nHL-3318\n\n## 2\n\nHaldor replaced the pump."
    scores = await grade(item("a", "g", *checks), Answer(both), None)
    assert scores["passed"] == scores["checks"] == 1.0
    half = await grade(item("a", "g", *checks), Answer("HL-3318 and nothing else"), None)
    assert (half["passed"], half["checks"]) == (0.0, 0.5)
    assert 0.7 < scores["rouge1"] < 1 and half["rouge1"] < 0.2  # noqa: PT018


async def test_translations_and_summaries_by_libraries() -> None:
    check = References(("The cat sat on the mat.",), "translation")
    same = await grade(Item("a", "g", "Translate.", (check,), "general"), Answer("The cat sat on the mat."), None)
    assert same["bleu"] == pytest.approx(1.0)
    assert same["chrf"] == pytest.approx(1.0)
    summed = Item("a", "g", "Sum up.", (References(("one two three", "four five six")),), "summarization")
    scores = await grade(summed, Answer("four five seven"), None)
    assert scores["rouge1"] == pytest.approx(2 / 3)
    assert scores["rouge2"] == pytest.approx(1 / 2)


def test_plans_are_compared_up_to_renaming() -> None:
    wanted = Graph(("retrieval", "code", "summarization"), ((0, 1), (0, 2)))
    same = compare_plans(["summarization", "retrieval", "code"], [(1, 0), (1, 2)], wanted)
    assert same == {"node_f1": 1.0, "edge_f1": 1.0, "exact": 1.0}
    chain = compare_plans(["retrieval", "code", "summarization"], [(0, 1), (1, 2)], wanted)
    assert (chain["node_f1"], chain["edge_f1"], chain["exact"]) == (1.0, 0.5, 0.0)
    assert compare_plans([], [], wanted) == {"node_f1": 0.0, "edge_f1": 0.0, "exact": 0.0}


def test_code_blocks_are_read_together_and_alone() -> None:
    assert code_of("no block") == ["no block"]
    assert code_of("```python\na = 1\n```\nthen\n```\nb = 2\n```") == ["a = 1\n\n\nb = 2\n", "a = 1\n"]
    assert token_f1("the pump", "a pump") == 1.0


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=40))
def test_a_comparison_counts_every_item_and_its_mirror_has_the_same_p(better: list[float]) -> None:
    one, other = compare_scores(better), compare_scores([-by for by in better])
    assert one.wins + one.losses + one.ties == len(better)
    assert (one.wins, one.losses, one.p) == (other.losses, other.wins, other.p)
    assert 0 < one.p <= 1
    assert one.difference.low <= one.difference.mean <= one.difference.high


def test_statistics_of_textbooks() -> None:
    # Conover 1999: 9 of 10 in one direction, two-sided.
    assert sign_test(9, 1) == pytest.approx(0.021484375)
    # Cohen 1960's form: 20 + 15 of 50 alike, expected .5.
    first, second = "y" * 25 + "n" * 25, "y" * 20 + "n" * 5 + "y" * 10 + "n" * 15
    assert cohens_kappa(first, second) == pytest.approx(0.4)
    assert cohens_kappa("", "") is None
    assert mean_of([0.0] * 20).high > 0.1, "twenty failures are no proof of never"
    assert mean_of([0.0, 1.0] * 10, seed=1) == mean_of([0.0, 1.0] * 10, seed=1)


def test_judges_see_no_names_and_their_sides_stay() -> None:
    ours = [EvalItem(str(at), "g", "q", f"ours {at}", "") for at in range(40)]
    theirs = [EvalItem(str(at), "g", "q", f"theirs {at}" if at else "ours 0", "") for at in range(40)]
    pairs, same = open_pairs(ours, theirs, "ada", [])
    assert (len(pairs), same) == (39, 1)
    assert 8 < sum(pair.left_is == "first" for pair in pairs) < 31
    said = [EvalChoice(pairs[0].item, "ada", pairs[0].choice("left"), pairs[0].left_is)]
    again, _ = open_pairs(ours, theirs, "ada", said)
    assert again == pairs[1:]
    for pair in pairs:
        assert pair.choice("left") == ("first" if pair.left.startswith("ours") else "second")
        assert pair.choice("right") == ("first" if pair.right.startswith("ours") else "second")


def test_choices_are_counted_by_judge_and_together() -> None:
    def said(judge: str, choices: Sequence[str]) -> list[EvalChoice]:
        return [EvalChoice(str(at), judge, choice, "first") for at, choice in enumerate(choices)]

    found = verdicts([*said("a", ["first", "first", "second", "tie"]), *said("b", ["first", "second", "second"])])
    assert found.by_judge["a"] == {"items": 4, "first": 2, "second": 1, "tie": 1, "left": 2}
    assert found.together == {"first": 1, "second": 1, "tie": 2}
    (agreement,) = found.agreements
    assert (agreement.judges, agreement.items, agreement.same) == (("a", "b"), 3, 2)
    assert agreement.kappa == pytest.approx(0.4)


@pytest.mark.parametrize("name", DEFAULT)
def test_the_data_of_the_clone_has_every_suite(name: str) -> None:
    folder = default_folder()
    assert folder is not None
    items = read_suite(SUITES[name], None)
    assert len(items) >= 50
    assert all(each.checks for each in items)
    licences = (folder / "README.md").read_text("utf-8")
    for path in folder.glob("*.jsonl"):
        assert f"`{path.name}`" in licences, "every set stands there with its licence"


@pytest.mark.parametrize(
    ("suite", "line", "words"),
    [
        ("code", "{", "line 1: it is not JSON"),
        ("code", "[1]", "not a JSON object"),
        ("code", '{"prompt": "Write f."}', "test_list"),
        ("end-to-end", '{"request": "x", "checks": [{"kind": "magic"}]}', "checks.0.kind"),
        ("routing", "", "asks nothing"),
        ("bias", '{"request": "{name}?", "swap": {"name": ["only one"]}}', "swap"),
    ],
)
def test_data_that_is_not_in_the_form_is_named(tmp_path: Path, suite: str, line: str, words: str) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(line + "\n", "utf-8")
    with pytest.raises(UsageError, match=words) as caught:
        read_suite(SUITES[suite], path)
    assert "docs/eval.md" in caught.value.next_step


def test_a_binary_file_two_equal_ids_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_suite(SUITES["code"], path)
    row = json.dumps({"id": "a", "request": "x", "label": "code"})
    path.write_text(f"{row}\n{row}\n", "utf-8")
    with pytest.raises(UsageError, match="two items called a"):
        read_suite(SUITES["routing"], path)
    with pytest.raises(UsageError, match=r"routing\.dev\.jsonl"):
        read_suite(SUITES["routing"], tmp_path)


def test_arms_are_measured_in_order_and_best_of_brings_nonet() -> None:
    assert check_arms(["best-of"]) == ["nonet", "best-of"]
    assert check_arms(["all"]) == ["raw", "nonet", "best-of", "specialists", "escalation"]
    with pytest.raises(UsageError, match="no arm 'rawr'") as caught:
        check_arms(["rawr"])
    assert "Did you mean raw?" in caught.value.next_step


def test_the_picture_is_xml_with_a_bar_a_row_and_no_markup_of_others() -> None:
    bars = [Bar("code", "<script>", Interval(0.5, 0.25, 0.75)), Bar("code", "raw", Interval(0.2, 0.1, 0.3))]
    tree = ET.fromstring(to_svg(bars, "a & b"))
    space = "{http://www.w3.org/2000/svg}"
    widths = [float(each.get("width", "0")) for each in tree.iter(f"{space}rect") if each.get("fill-opacity")]
    assert widths == [240.0, 96.0]
    assert [each.text for each in tree.iter(f"{space}text")].count("<script>") == 1


def test_a_text_is_scored_in_windows_that_do_not_overlap() -> None:
    asked: list[tuple[tuple[int, ...], int]] = []

    def logprob(before: Sequence[int], token: int) -> float:
        asked.append((tuple(before), token))
        return -math.log(8)

    score = score_tokens([1, 2, 3, 4, 5], 3, logprob, Event())
    assert asked == [((1,), 2), ((1, 2), 3), ((4,), 5)]
    assert score.tokens == 3
    assert score.nats == pytest.approx(3 * math.log(8))
    stopped = Event()
    stopped.set()
    assert score_tokens([1, 2, 3], 3, logprob, stopped).tokens == 0


def test_perplexity_is_of_the_whole_text_and_lower_is_better() -> None:
    def measured(name: str, nats: Sequence[float]) -> tuple[EvalRecord, list[EvalItem]]:
        facts = [{"nats": each, "tokens": 10, "bytes": 40} for each in nats]
        items = [
            EvalItem(str(at), "book", "a piece", "", "", likelihood([each]), {"calls": 1}, each)
            for at, each in enumerate(facts)
        ]
        return EvalRecord(name, "perplexity", "raw", name, "embedded", {"seed": 0}, len(items), 0.0), items

    good, bad = measured("good", [10.0, 30.0]), measured("bad", [20.0, 40.0])
    metrics = summarize(*good).metrics
    assert metrics["perplexity"].mean == pytest.approx(math.exp(40 / 20))
    assert metrics["bits_per_byte"].mean == pytest.approx(40 / math.log(2) / 80)
    compared = compare(*good, *bad)
    assert (compared.paired.wins, compared.paired.losses) == (2, 0)
    assert compared.paired.difference.mean > 0
