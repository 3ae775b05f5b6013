"""The measures that well-kept libraries make: ROUGE, chrF and BLEU, and those of searches. Imported at first use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

from nonet.errors import ResourceError
from nonet.eval.items import Item, References, Relevant

_SUMMARY = ("rouge1", "rouge2", "rougeL")


def check_libraries(items: Sequence[Item]) -> None:
    """Raise ResourceError where what the items are graded by is not installed: before anything is asked."""
    checks = [check for item in items for check in item.checks]
    needed = set()
    for check in checks:
        if isinstance(check, Relevant):
            needed.add("ir_measures")
        elif isinstance(check, References):
            needed.add("sacrebleu" if check.metric == "translation" else "rouge_score")
    missing = sorted(name for name in needed if find_spec(name) is None)
    if missing:
        raise ResourceError(
            f"To grade this, {' and '.join(missing)} must be installed.",
            kept="Nothing was asked.",
            next_step="Install what evaluations need: `pip install 'nonet[eval]'`.",
        )


@cache
def _rouge_scorer() -> Any:  # noqa: ANN401  rouge-score has no types
    from rouge_score.rouge_scorer import RougeScorer  # noqa: PLC0415

    return RougeScorer(list(_SUMMARY), use_stemmer=True)


def rouge(text: str, references: Sequence[str]) -> dict[str, float]:
    """F1 by ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004, with stemming), each against the best of the references."""
    scores = [_rouge_scorer().score(reference, text) for reference in references]
    return {name: max(float(score[name].fmeasure) for score in scores) for name in _SUMMARY}


@cache
def _translation_metric(name: str, *, sentence: bool) -> Any:  # noqa: ANN401
    from sacrebleu.metrics.bleu import BLEU  # noqa: PLC0415
    from sacrebleu.metrics.chrf import CHRF  # noqa: PLC0415

    return CHRF() if name == "chrf" else BLEU(effective_order=sentence)


def chrf(texts: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """chrF2 of a corpus (Popovic 2015), 0 to 100."""
    return _corpus("chrf", texts, references)


def bleu(texts: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """BLEU of a corpus (Papineni et al. 2002, as sacrebleu counts it), 0 to 100; of one text up to its length."""
    return _corpus("bleu", texts, references)


def _corpus(name: str, texts: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    most = max(len(each) for each in references)
    streams = [[each[min(at, len(each) - 1)] for each in references] for at in range(most)]
    metric = _translation_metric(name, sentence=len(texts) == 1)
    return float(metric.corpus_score(list(texts), streams).score)


def search_measures(ranking: Sequence[str], gains: Mapping[str, int]) -> dict[str, float]:
    """nDCG@10 and recall as trec_eval counts them, and whether all relevant ones are among the first five."""
    import ir_measures  # noqa: PLC0415
    from ir_measures import R, nDCG  # noqa: PLC0415

    run = {"q": {name: 1.0 / (1 + rank) for rank, name in enumerate(ranking)}}
    wanted = [nDCG @ 10, R @ 5, R @ 10]
    found: dict[Any, float] = ir_measures.calc_aggregate(wanted, {"q": dict(gains)}, run)
    five = found[R @ 5]
    return {"ndcg@10": found[nDCG @ 10], "recall@5": five, "recall@10": found[R @ 10], "all@5": float(five >= 1.0)}
