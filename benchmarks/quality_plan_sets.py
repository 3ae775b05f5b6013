"""Planning by the rules on sets that have other specialists than ours, or plans that only a model could know.

    python benchmarks/quality_plan_sets.py --data FOLDER [--embed MODEL.onnx]

- workbench: routing to five domains as a user's own specialists, each with six examples that were written here, not
  taken from the set. "plan" compares the set of domains that the plan names with those that the answer needs.
- restbench_tmdb: 46 tools as specialists, each with its description as its only example.
- musique: questions that rest on others; the plan is the decomposition.
- asynchow: steps of daily life, given as a list; edges are common knowledge, and nothing in the words tells them. The
  pure chain is what the anchors give (edge F1 .53).
"""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from quality_plans import Item, Score, minilm, read_rows, score

from nonet.agents.documents import DocumentInfo
from nonet.agents.plan import Plan
from nonet.agents.planner import RulePlanner
from nonet.agents.router import Embedder, Router
from nonet.eval.plans import f1
from nonet.specialists.catalog import default_specialists
from nonet.specialists.text import content_stems

DOMAINS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "analytics": (
        "website visits, engagement, traffic and plots of them",
        (
            "How many visitors did the website have last Monday?",
            "Plot the page views of the past two weeks as a bar chart.",
            "Was the average session duration lower in March than in April?",
            "Show me where our traffic comes from: search, links or direct.",
            "Make a chart of engaged users since the first of the month.",
            "Tell me whether visits fell below 50 on any day.",
        ),
    ),
    "calendar": (
        "events, meetings and free times",
        (
            "Schedule a meeting with Dana tomorrow at ten.",
            "Cancel the budget review on Friday.",
            "Move my lunch with Tom to one o'clock.",
            "When is my first free slot next week?",
            "Delete all events with the auditors.",
            "Have I met with Priya this month? If not, set up a half-hour call.",
        ),
    ),
    "customer_relationship_manager": (
        "customers, leads and their status",
        (
            "Add a new customer called Vera Lind, interested in training.",
            "Give all of Jonas's leads to Amira.",
            "Which clients have not been contacted for six weeks?",
            "Set the status of the lead Karl Brandt to won.",
            "Change the follow-up date of the customer in Leeds.",
            "Delete the prospects of last year that were lost.",
        ),
    ),
    "email": (
        "messages: sending, finding, forwarding, deleting",
        (
            "Send a message to Rosa that the report is done.",
            "Forward the last mail about the contract to legal.",
            "Reply to Ken's email with 'Thanks, will do'.",
            "Delete all emails from the newsletter.",
            "Did anybody write to me about the invoice?",
            "Find the latest message with the subject 'Holiday plans'.",
        ),
    ),
    "project_management": (
        "tasks, boards, due dates and who they are assigned to",
        (
            "Create a task for Lena on the backend board, due on Thursday.",
            "Move all overdue tasks of the design team to the backlog.",
            "Assign the login bug to Omar.",
            "Which of Mia's tasks are in review?",
            "Mark the unfinished items of the sprint as completed.",
            "Change the due date of the logo task to next Monday.",
        ),
    ),
}


def domain_items(folder: Path) -> list[tuple[str, tuple[str, ...]]]:
    """WorkBench's requests with the domains that their answers need."""
    return [(row["request"], tuple(row["domains"])) for row in read_rows(folder / "workbench.dev.jsonl")]


def tool_items(folder: Path) -> tuple[list[Item], dict[str, str]]:
    """RestBench's requests with its tools as specialists."""
    tools = {row["id"]: row["desc"] for row in read_rows(folder / "restbench_tmdb.tools.jsonl")}
    items = []
    for row in read_rows(folder / "restbench_tmdb.dev.jsonl"):
        nodes = tuple(row["nodes"])
        edges = tuple((nodes.index(a), nodes.index(b)) for a, b in row["edges"])
        items.append(Item(row["id"], f"{len(nodes)} tools", row["request"], (), (), nodes, edges))
    return items, tools


def hop_items(folder: Path) -> list[Item]:
    """MuSiQue's questions with their decomposition as the plan: every node is a look-up."""
    return [
        Item(
            row["id"],
            f"{row['hops']} hops",
            row["question"],
            (),
            (DocumentInfo("collection.txt"),),
            ("retrieval",) * len(row["decomposition"]),
            tuple((a - 1, b - 1) for a, b in row["edges"]),
        )
        for row in read_rows(folder / "musique.dev.jsonl")
    ]


def graph_of(plan: Plan) -> tuple[list[str], list[tuple[int, int]]]:
    """Specialists, and edges between their places."""
    ids = [subtask.id for subtask in plan.subtasks]
    edges = [(ids.index(name), place) for place, sub in enumerate(plan.subtasks) for name in sub.inputs]
    return [subtask.specialist for subtask in plan.subtasks], edges


async def workbench(folder: Path, embed: Embedder | None) -> None:
    router = Router({name: examples for name, (_, examples) in DOMAINS.items()}, embed)
    planner = RulePlanner(router, hops=False)
    one: Counter[bool] = Counter()
    one_right: Counter[bool] = Counter()
    node, exact, count = 0.0, 0, 0
    for request, domains in domain_items(folder):
        if len(domains) == 1:
            routed = await router.route(request)
            one[routed.routing.sure] += 1
            one_right[routed.routing.sure] += routed.specialist == domains[0]
        named = {subtask.specialist for subtask in (await planner.plan(request)).subtasks}
        node += f1(Counter(named), Counter(domains))
        exact += named == set(domains)
        count += 1
    total = sum(one.values())
    print(f"workbench, one domain: n={total} accuracy {sum(one_right.values()) / total:.3f} (one class always: .269)")
    print(f"  sure: {one_right[True]} of {one[True]} right, unsure: {one_right[False]} of {one[False]}")
    print(f"workbench, plan: n={count} F1 of the domains {node / count:.3f}, the very set {exact / count:.3f}")


async def planned(name: str, planner: RulePlanner, items: Sequence[Item]) -> None:
    groups: dict[str, list[Score]] = defaultdict(list)
    for item in items:
        plan = await planner.plan(item.request, attached=item.attached, collection=item.collection)
        groups[item.group].append(score(*graph_of(plan), item))
    groups["all"] = [one for group in list(groups.values()) for one in group]
    for group, scores in sorted(groups.items()):
        n = len(scores)
        node, edge = sum(one.node_f1 for one in scores) / n, sum(one.edge_f1 for one in scores) / n
        exact = sum(one.exact for one in scores) / n
        print(f"{name}, {group}: n={n} node F1 {node:.3f} edge F1 {edge:.3f} exact {exact:.3f}")


def by_shared_words(steps: Sequence[str]) -> list[tuple[int, int]]:
    """A step needs every earlier one it shares a word with, if most steps do not have it: a guess to compare with."""
    stems = [set(content_stems(step)) for step in steps]
    counts = Counter(stem for each in stems for stem in each)
    telling = [{stem for stem in each if 2 * counts[stem] <= len(steps)} for each in stems]
    return [(a, b) for b in range(len(steps)) for a in range(b) if telling[a] & telling[b]]


async def asynchow(folder: Path, planner: RulePlanner) -> None:
    """The steps as a numbered list; specialists do not matter, only what reads what."""
    rows = read_rows(folder / "asynchow.dev.jsonl")
    parts = 0
    by_rules = by_chain = by_words = 0.0
    for row in rows:
        names = sorted(row["steps"], key=int)
        request = "\n".join(f"{number}. {row['steps'][name]}" for number, name in enumerate(names, 1))
        plan = await planner.plan(request)
        wanted = Counter((names.index(str(a)), names.index(str(b))) for a, b in row["edges"])
        parts += len(plan.subtasks) == len(names)
        by_rules += f1(Counter(graph_of(plan)[1]), wanted)
        by_words += f1(Counter(by_shared_words([row["steps"][name] for name in names])), wanted)
        by_chain += f1(Counter(pairwise(range(len(names)))), wanted)
    n = len(rows)
    print(
        f"asynchow: n={n} one subtask a step in {parts / n:.3f} of the plans, edge F1 {by_rules / n:.3f}"
        f" (chain {by_chain / n:.3f}, shared words {by_words / n:.3f})"
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the sets")
    parser.add_argument("--embed", type=Path, help="MiniLM's ONNX file; without it BM25 compares examples")
    options = parser.parse_args()
    embed = minilm(options.embed) if options.embed else None
    await workbench(options.data, embed)
    tools, descriptions = tool_items(options.data)
    await planned("restbench", RulePlanner(Router({name: (one,) for name, one in descriptions.items()}, embed)), tools)
    shipped = RulePlanner(Router({name: one.examples for name, one in default_specialists().items()}, embed))
    await planned("musique", shipped, hop_items(options.data))
    await asynchow(options.data, shipped)


if __name__ == "__main__":
    asyncio.run(main())
