"""Words of medicine that are written with a capital and are no names of patients: eponyms, scores, drugs."""

from __future__ import annotations

import re
from collections.abc import Iterable

_EPONYMS = """
    achilles addison adson alzheimer apgar asperger babinski barlow barrett barthel bell berg bishop bowman braden
    brudzinski burkitt charcot chvostek colles cooley crohn cushing doppler down dupuytren ebstein epley epstein
    barr ewing fallot fowler fontan glasgow gleason graves guillain barré hashimoto heimlich hirschsprung hodgkin
    holter homans horner huntington kaposi kawasaki kernig killip kleinfelter korsakoff lachman lyme marfan mcburney
    mcmurray meckel menière meniere mobitz morse murphy osgood paget parkinson peyronie phalen prader raynaud reiter
    reye rinne romberg sjogren sjögren snellen tinel tourette trendelenburg trousseau tzanck valsalva virchow weber
    wernicke whipple willebrand wilms wilson foley bartholin stokes hickman swan ganz allen
""".split()  # noqa: SIM905
_TERMS = """
    mri ct eeg ecg ekg ldl hdl phq gcs bmi covid bp hr rr ef dnr dnar icu er ed prn bid tid qid po iv im sc npo rtc
    sob cad copd chf cabg tia cva dvt pe uti hiv hba1c inr wbc hgb plt esr crp tsh alt ast bun mg ml kg cm mmhg mets
    lisinopril tetanus english spanish german french american european asian african caucasian hispanic latino
    christian jewish muslim catholic bilirubin hemoglobin haemoglobin creatinine potassium sodium glucose aspirin
    ibuprofen insulin heparin warfarin morphine tylenol advil lasix furosemide metformin digoxin prednisone
    oxycodone hydrocodone codeine fentanyl tramadol naproxen paracetamol acetaminophen gabapentin lithium magnesium
    calcium albuterol salbutamol
""".split()  # noqa: SIM905
_ENDINGS = re.compile(
    r"(?:cillin|mycin|micin|cycline|floxacin|azole|prazole|statin|sartan|pril|olol|dipine|zepam|zolam|zine|pine|done|mab"
    r"|nib|vir|caine|tidine|setron|triptan|gliptin|gliflozin|glutide|parin|xaban|thiazide|semide|oxetine|traline|pramine"
    r"|cetam|oxin|axone|emia|itis|osis|oma|ectomy|otomy|ostomy|plasty|scopy|graphy|gram|algia|opathy|uria|pnea|pnoea|rrhea"
    r"|rrhoea|plegia|paresis|phasia|phagia|trophy|sclerosis|stenosis|megaly|penia|cytosis|edema|oedema|ology|therapy|tension"
    r"|cardia|ectasis|rrhage|rrhagia|ension|ation|ition|ment|ness|ing|ical|ular|istic|ated|gen|lysis|ase|ine|ide|ate|ol)$",
    re.IGNORECASE,
)
_KNOWN = frozenset((*_EPONYMS, *_TERMS))


def is_medical(word: str) -> bool:
    """Whether a word belongs to medicine, by a list and by how such words end.

    >>> is_medical("Levetiracetam"), is_medical("Parkinson's"), is_medical("Keller")
    (True, True, False)
    """
    plain = word.casefold().removesuffix("'s").removesuffix("\u2019s")
    return plain in _KNOWN or any(part in _KNOWN for part in _parts(plain)) or _has_ending(plain)


def _parts(word: str) -> Iterable[str]:
    return word.split("-") if "-" in word else ()


def _has_ending(word: str) -> bool:
    longest_name = 6  # "Nadine" and "Kline" have such an ending, and are shorter than most such words
    return len(word) > longest_name and _ENDINGS.search(word) is not None
