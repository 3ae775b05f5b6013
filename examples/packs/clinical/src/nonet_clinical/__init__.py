"""A nonet specialist that sums up clinical notes. No model sees one before what identifies people is replaced."""

from __future__ import annotations

from dataclasses import replace

from nonet.specialists import Assignment, Citation, Desk, Evidence, Outcome, Verdict
from nonet.specialists.summarization import SummarizationSpecialist
from nonet_clinical.identifiers import Identifier, find_identifiers
from nonet_clinical.pseudonyms import Pseudonyms

__all__ = ["ClinicalSpecialist", "Identifier", "Pseudonyms", "find_identifiers"]

_KINDS = {
    "NAME": ("name", "names"),
    "DATE": ("date", "dates"),
    "PHONE": ("phone number", "phone numbers"),
    "ID": ("id", "ids"),
    "ADDRESS": ("address", "addresses"),
    "CONTACT": ("e-mail or web address", "e-mail or web addresses"),
    "AGE": ("high age", "high ages"),
}


class ClinicalSpecialist:
    """De-identifies by rules, sums up as `summarization` does, and verifies that nothing it replaced comes back."""

    name = "clinical"
    description = "sums up clinical notes, de-identified before any model sees them"
    examples = (
        "Summarize the clinical note.",
        "Summarize this patient's discharge summary in three sentences.",
        "De-identify the clinical note and summarize it.",
        "Give me an anonymised summary of the patient's consultation.",
        "What happened to the patient, in brief, without names?",
        "Sum up the medical record of this patient.",
        "Write an anonymised summary of the hospital stay.",
        "Condense the clinical progress note, leaving out who the patient is.",
        "Sum up the operation report without identifying the patient.",
        "Make an anonymised handover of this patient's chart.",
        "De-identify the medical record and sum it up.",
    )

    def __init__(self) -> None:
        self._summarization = SummarizationSpecialist()

    async def work(self, assignment: Assignment, desk: Desk) -> Outcome:
        """One summary. A text without any identifier is summed up too, and the evidence says that none was found."""
        pseudonyms = Pseudonyms()
        # The sources come first: who is named in full there is recognised in the instruction.
        sources = tuple(
            replace(each, name=f"note {number}", text=pseudonyms.apply(each.text), asked="")
            for number, each in enumerate(assignment.sources, start=1)
        )
        hidden = replace(
            assignment,
            sources=sources,
            instruction=pseudonyms.apply(assignment.instruction),
            previous=pseudonyms.apply(assignment.previous),
        )
        outcome = await self._summarization.work(hidden, desk)
        check = leak_check(outcome.text, pseudonyms)
        citations: tuple[Citation, ...] = ()  # of the replaced text, whose offsets are not those of the document
        if check.passed is False:
            return Outcome("", Verdict.FAILED, (check,))
        return replace(outcome, evidence=(check, *outcome.evidence), citations=citations, data=_counts(pseudonyms))


def leak_check(summary: str, pseudonyms: Pseudonyms) -> Evidence:
    """Whether anything that was replaced stands in the summary. What leaked is counted, not told."""
    leaks = pseudonyms.leaks(summary)
    replaced = _counts(pseudonyms)["replaced"]
    told = (
        ", ".join(f"{number} {_KINDS[kind][number != 1]}" for kind, number in replaced.items())
        or "no identifiers were found"
    )
    if leaks:
        detail = f"{len(leaks)} of the replaced identifiers stand in the summary, so it is withheld (replaced: {told})"
        return Evidence("de-identification", passed=False, detail=detail)
    detail = f"replaced before any model saw the note: {told}; none is in the summary" if replaced else told
    return Evidence("de-identification", passed=True if replaced else None, detail=detail)


def _counts(pseudonyms: Pseudonyms) -> dict[str, dict[str, int]]:
    return {"replaced": {kind: pseudonyms.replaced[kind] for kind in _KINDS if pseudonyms.replaced[kind]}}
