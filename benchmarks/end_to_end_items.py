"""Composite tasks with checkable answers, their documents, and the grading of an answer: the same for every arm."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rouge_score.rouge_scorer import RougeScorer

from nonet.specialists import Sandbox
from nonet.specialists.text import sentences

ROUGE_PASS = 0.2
"""ROUGE-1 F1 against the best reference from which a summary passes; means are printed beside it."""
_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_ROUGE = RougeScorer(["rouge1"], use_stemmer=True)


@dataclass(frozen=True)
class Item:
    """One task."""

    id: str
    pattern: str
    request: str
    attached: Mapping[str, str]
    """Documents that come with the request."""
    collection: Mapping[str, str]
    """Documents to look things up in."""
    checks: tuple[Mapping[str, Any], ...]
    gold_documents: frozenset[str]
    fits: bool
    """Whether all its documents fit one window."""


@dataclass(frozen=True)
class Grade:
    """What an answer is worth."""

    checks: tuple[tuple[str, float], ...]
    """(kind, score from 0 to 1) a check."""

    @property
    def passed(self) -> bool:
        """All checks pass."""
        return all(score >= (ROUGE_PASS if kind == "rouge" else 1.0) for kind, score in self.checks)


def read_items(folder: Path) -> list[Item]:
    """The composite set with the documents that each item may use. Raises OSError where a set is missing."""
    documents = {name: _documents(folder / f"{name}.docs.jsonl") for name in ("musique", "hotpotqa", "pubmedqa")}
    candidates = {
        name: {
            frozenset(row["gold_doc_ids"]): tuple(row["candidate_doc_ids"])
            for row in _rows(folder / f"{name}.dev.jsonl")
        }
        for name in ("musique", "hotpotqa")
    }
    items = []
    for row in _rows(folder / "composite.dev.jsonl"):
        collection: dict[str, str] = {}
        gold: frozenset[str] = frozenset()
        for check in row["checks"]:
            if "collection" in check:
                gold = frozenset(check["gold_doc_ids"])
                every = documents[check["collection"]]
                ids = candidates.get(check["collection"], {}).get(gold, tuple(every))
                collection = {f"{name}.txt": every[name] for name in ids}
        attached = {f"{name}.txt": text for name, text in row["documents"].items()}
        # Retrieval is a means: what an arm found shows in its answer, and an arm without a search cannot be asked.
        checks = tuple(check for check in row["checks"] if check["kind"] != "retrieval")
        fits = sum(len(text) for text in (*attached.values(), *collection.values())) < 12_000
        items.append(Item(row["id"], row["pattern"], row["request"], attached, collection, checks, gold, fits))
    return items


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _documents(path: Path) -> dict[str, str]:
    found = {}
    for row in _rows(path):
        text = row["text"] if "text" in row else "".join(row["sentences"])
        found[row["doc_id"]] = f"{row['title']}\n\n{text}" if "title" in row else text
    return found


async def grade(item: Item, answer: str, sandbox: Sandbox) -> Grade:
    """Grade the final answer alone, whichever arm gave it."""
    code = "\n\n".join(match.group(1) for match in _FENCE.finditer(answer))
    prose = _FENCE.sub("", answer)
    return Grade(tuple([(check["kind"], await _score(check, code or answer, prose, sandbox)) for check in item.checks]))


async def _score(check: Mapping[str, Any], code: str, prose: str, sandbox: Sandbox) -> float:
    match check["kind"]:
        case "unit_tests":
            program = "\n".join([code, "", *check["test_imports"], *check["test_list"], "print('passed')"])
            result = await sandbox.run(program, timeout_seconds=15)
            return float(result.exit_status == 0 and result.stdout.strip().endswith("passed"))
        case "answer":
            return _contains(prose + " " + code, check["answers"])
        case "contains":
            return _contains(prose, check["any"])
        case "rouge":
            return _best_rouge(check["refs"], prose)
    raise ValueError(f"no check is called {check['kind']!r}")


def _contains(text: str, wanted: Sequence[str]) -> float:
    return float(any(f" {_plain(each)} " in f" {_plain(text)} " for each in wanted))


def _plain(text: str) -> str:
    """As SQuAD compares answers: lower case, no punctuation, no articles."""
    kept = "".join(" " if character in string.punctuation else character for character in text.lower())
    return " ".join(_ARTICLES.sub(" ", kept).split())


def _best_rouge(references: Sequence[str], prose: str) -> float:
    """Of the whole, of any paragraph and of any sentence, so that no arm loses by what stands around its summary."""
    paragraphs = [part for part in prose.split("\n\n") if part.strip()]
    pieces = [prose, *paragraphs, *(sentence for part in paragraphs for sentence in _sentences(part))]
    return max(
        (_ROUGE.score(reference, piece)["rouge1"].fmeasure for reference in references for piece in pieces),
        default=0.0,
    )


def _sentences(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentences(text)]
