"""What the wording of a request says about a user's own specialists, read from their example requests alone.

A word is a sign of a specialist as far as more of its examples have it than of anybody else's ("translate", "patient").
Where there are such signs, it also takes the cues of the shipped specialist that its examples look like: a request to
sum up a patient's note speaks for summing up, and a specialist for clinical notes is the more particular one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from nonet.agents.cues import BUILTIN, GENERAL, Cues, read_cues
from nonet.agents.masking import mask
from nonet.specialists.text import content_stems

_WEIGHT = 2.5
_MOST = 2.0
"""As the margin at which shipped specialists are told apart by wording."""
_WORD = re.compile(r"[^\W_]+")
_PARTICULAR = tuple(name for name in BUILTIN if name != GENERAL)
_A_CUE = 0.5
_PLAIN = 0.3
"""Signs from which a specialist is spoken for: one word that a third of its examples have, or several rarer ones."""
_TIMES = 3.0
"""How many times as often as anybody else's its examples have a sign."""
_FEWEST = 2
"""Examples that have a sign: what only one has is its subject, and no way of asking."""


class OwnCues:
    """The signs of all specialists that do not ship.

    Args:
        examples: of every specialist, the shipped ones included: what they share is no sign.
    """

    def __init__(self, examples: Mapping[str, Sequence[str]]) -> None:
        shares = {name: _shares(texts) for name, texts in examples.items()}
        taken = {name: _taken(texts) for name, texts in examples.items() if name not in BUILTIN}
        self._signs = {
            name: _signs(name, shares, _FEWEST / max(1, len(examples[name])), stems) for name, stems in taken.items()
        }
        self._likeness = {
            has_document: {name: _likeness(examples[name], has_document=has_document) for name in self._signs}
            for has_document in (False, True)
        }

    def scores(self, masked: str, cues: Cues, *, has_document: bool) -> dict[str, float]:
        """By name, on the scale of `Cues`."""
        stems = set(content_stems(masked))
        found: dict[str, float] = {}
        for name, signs in self._signs.items():
            weight = sum(signs.get(stem, 0.0) for stem in stems)
            like = sum(share * cues.score(other) for other, share in self._likeness[has_document][name].items())
            found[name] = min(_MOST, _WEIGHT * weight) + like if weight >= _PLAIN else 0.0
        return found


def _shares(texts: Sequence[str]) -> dict[str, float]:
    """For each stem the share of the texts that have it."""
    counts = Counter(stem for text in texts for stem in set(content_stems(mask(text))))
    return {stem: count / len(texts) for stem, count in counts.items()}


def _taken(texts: Sequence[str]) -> frozenset[str]:
    """Stems of words that are a cue for a shipped specialist already: alone, or with the word that follows."""
    found: set[str] = set()
    for text in texts:
        said = _WORD.findall(mask(text))
        for word, following in zip(said, [*said[1:], ""], strict=True):
            cues = [read_cues(word), read_cues(f"{word} {following}")]
            if max(each.score(name) for each in cues for name in _PARTICULAR) >= _A_CUE:
                found.update(content_stems(word))
    return frozenset(found)


def _signs(
    name: str, shares: Mapping[str, Mapping[str, float]], least: float, taken: frozenset[str]
) -> dict[str, float]:
    """The stems that are signs of it, each with how much of one."""
    others = [share for other, share in shares.items() if other != name]
    most = {stem: max((each.get(stem, 0.0) for each in others), default=0.0) for stem in shares[name]}
    return {
        stem: mine - most[stem]
        for stem, mine in shares[name].items()
        if mine >= least and mine >= _TIMES * most[stem] and stem not in taken
    }


def _likeness(examples: Sequence[str], *, has_document: bool) -> dict[str, float]:
    """How much of the examples' wording speaks for each shipped specialist; the shares add up to at most 1."""
    best: Counter[str] = Counter()
    for example in examples:
        cues = read_cues(example, has_document=has_document)
        nearest = max(BUILTIN, key=cues.score)
        if cues.score(nearest) > 0:
            best[nearest] += 1
    return {name: count / len(examples) for name, count in best.items()}
