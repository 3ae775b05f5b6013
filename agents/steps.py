"""Turns routed clauses into wired subtasks: joins what one call can do, orders, and says what each reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nonet.agents.clauses import Clause
from nonet.agents.cues import BUILTIN, CODE, GENERAL, RETRIEVAL, SUMMARIZATION, is_question, is_told, read_cues
from nonet.agents.documents import DocumentInfo, named_documents
from nonet.agents.hops import inner_questions
from nonet.agents.lexicon import COLLECTION_NOUN, DOCUMENT_NOUN, LENGTH, RETRIEVAL_VERB, compiled
from nonet.agents.masking import mask
from nonet.agents.plan import Routing
from nonet.agents.references import Known, has_matter, is_open, points_outside, reads_of
from nonet.agents.router import Routed

_ATTACHED = compiled(r"\b(?:attach(?:ed|ments?)|enclosed)\b")
_FIRST = compiled(r"\bbe (?:\w+ ){1,2}first\b|\b(?:first|beforehand)\W*$|^\W*(?:but )?first\b")
_THERE = compiled(r"\byou(?:'ll| will| can| should)\b")
"""After an order: "you will find the date in the almanac" is where what it needs is."""
_TELL_FOUND = compiled(r"\bwhat(?:ever)? (?:you|it) (?:find|found|says?|get|got)\b|\b(?:it|them|the results?)\W*$")
_LOOK_IT_UP = compiled(
    r"\W*(?:(?:please|pls|just) )?(?:look (?:it|that|this) up|find (?:it|that|this)(?: out)?) (?:in|on)\b"
)
"""Where the answer to the question before is."""
_TOPIC = compiled(r"\b(?:of|about|on|regarding|concerning) (.+)$")
_OF_DOCUMENTS = compiled(rf"\b(?:{COLLECTION_NOUN}|{RETRIEVAL_VERB}|cite|quote|attach(?:ed|ments?))\b")
_SOME_DOCUMENT = compiled(rf"\b(?:{COLLECTION_NOUN}|{DOCUMENT_NOUN}|attach(?:ed|ments?))\b|\bdo[ck]ument")
"""Also as German, French, Spanish and others write it: a summary of what is not there is none of the model's."""
_READ_CHARACTERS = 1_000
_LENGTH_WISH = compiled(rf"[,\s]+(?:in|with|using|as) (?:at most |no more than |about |up to |under )?{LENGTH}.*$")
_A_SIGN = 0.3
"""Of wording, below which nothing speaks for a specialist but examples that are least far away."""
_ALL_OF_THEM = compiled(rf"\b(?:everything|all|{COLLECTION_NOUN})\b")


@dataclass(slots=True, eq=False)
class Step:
    """A subtask in the making."""

    clause: Clause
    routed: Routed
    documents: tuple[str, ...] = ()
    reads: list[Step] = field(default_factory=list)
    """Earlier steps whose results it reads."""
    unclear: bool = False
    """True: the words leave open which earlier steps it reads."""
    needed: bool = False
    """True: it was put before the clause that was asked for first, which reads it."""

    @property
    def specialist(self) -> str:
        return self.routed.specialist


def from_memory(steps: Sequence[Step]) -> list[Step]:
    """Where there is no document at all, a question goes to the model itself, unless it asks for what documents say.

    So does what only perhaps is to be looked up, and what no word assigns to anybody ("please"). A plain order to look
    something up stays one: that there is nothing to look it up in is the answer.
    """
    if len(steps) == 1 and _is_a_guess(steps[0]):
        return [Step(steps[0].clause, replace(steps[0].routed, specialist=GENERAL))]
    found = []
    for step in steps:
        words = step.clause.masked
        asks = step.specialist == RETRIEVAL and (is_question(words) or not step.routed.routing.sure)
        told = step.specialist == SUMMARIZATION and is_told(words)
        lost = step.specialist in {SUMMARIZATION, CODE} and _has_no_sign(step, _A_SIGN)
        if (asks or told or lost) and not _OF_DOCUMENTS.search(words):
            sure = step.routed.routing.sure  # what is not stays a doubt, for a model that plans better
            found.append(Step(step.clause, _given(GENERAL) if sure else replace(step.routed, specialist=GENERAL)))
        else:
            found.append(step)
    return found


def _is_a_guess(step: Step) -> bool:
    """Whether its specialist, one that ships, was chosen below the margin and by not one of its words."""
    return not step.routed.routing.sure and step.specialist in BUILTIN and _has_no_sign(step)


def _has_no_sign(step: Step, least: float = 0.0) -> bool:
    """Whether none of its words speaks for its specialist with more than `least`, or of a document."""
    words = step.clause.masked[:_READ_CHARACTERS]
    score = read_cues(step.clause.text[:_READ_CHARACTERS], words).score(step.specialist)
    return (score <= 0 or score < least) and not _SOME_DOCUMENT.search(words)


def joined(steps: Sequence[Step], *, has_document: bool) -> list[Step]:
    """Neighbours that one call can do become one: small talk, questions about the attached documents, "list them"."""
    found: list[Step] = []
    for step in steps:
        if found and step.clause.item is None and _one_call(found[-1], step, has_document=has_document):
            before, clause = found[-1].clause, step.clause
            found[-1].clause = replace(
                before, text=f"{before.text} {clause.text}", masked=f"{before.masked} {clause.masked}"
            )
        else:
            found.append(step)
    return found


def _one_call(first: Step, second: Step, *, has_document: bool) -> bool:
    if first.specialist == second.specialist == RETRIEVAL and first.clause.kind == "question":
        return _LOOK_IT_UP.match(second.clause.masked) is not None
    if first.specialist == RETRIEVAL and second.clause.kind == "other" and second.specialist in {RETRIEVAL, GENERAL}:
        return _TELL_FOUND.search(second.clause.masked) is not None
    if first.specialist != second.specialist:
        return False
    questions = first.clause.kind == second.clause.kind == "question"
    return first.specialist == GENERAL or (has_document and first.specialist == SUMMARIZATION and questions)


def ordered(steps: Sequence[Step]) -> list[Step]:
    """What has to happen before the step before it is put there, and read by that step."""
    found: list[Step] = []
    for step in steps:
        if found and _comes_before(step, found[-1]):
            step.needed = True
            found[-1].reads.append(step)
            found.insert(len(found) - 1, step)
        else:
            found.append(step)
    return found


def _comes_before(step: Step, main: Step) -> bool:
    """Whether it is a "before that, look up", an "it has to be looked up first", or what a function needs."""
    if step.clause.reversed:
        return True
    if step.specialist != RETRIEVAL or main.specialist == RETRIEVAL:
        return False
    if main.specialist == CODE and _THERE.search(step.clause.opening):
        return True
    words = step.clause.masked.split(". ")[0]
    if step.clause.kind in {"passive", "retrieval"} and _FIRST.search(words):
        return True
    return main.specialist == CODE and points_outside(words, RETRIEVAL)


def wire(steps: Sequence[Step], attached: Sequence[DocumentInfo]) -> None:
    """Give every step the documents and the earlier steps it reads."""
    known: list[Known] = []
    places = {id(step): number for number, step in enumerate(steps)}
    for step in steps:
        clause = step.clause
        named = (clause.about,) if clause.about else named_documents(clause.masked, clause.text, attached)
        own = bool(named) or points_to_attached(clause, attached)
        if not step.reads and not step.needed and clause.kind != "copy":
            reads = reads_of(clause, step.specialist, known, reads_documents=own)
            step.reads = [steps[number] for number in reads]
            if len(step.reads) == 1:
                step.reads = _with_copies(step.reads[0], steps)
            step.unclear = not own and is_open(clause, step.specialist, known, reads)
            if step.unclear and _is_sibling(step):
                step.reads = list(step.reads[0].reads)
        step.documents = read_whole(clause, step.specialist, named, attached, reads=bool(step.reads))
        if _tells_results(step):
            step.routed = replace(step.routed, specialist=SUMMARIZATION)
        known.append(Known(step.specialist, clause.masked, tuple(places[id(other)] for other in step.reads)))


def _with_copies(step: Step, steps: Sequence[Step]) -> list[Step]:
    """What was unfolded over several documents is one thing to what refers to it: "put it in one line"."""
    copies = [each for each in steps if each.clause.kind == "copy"]
    return copies if step in copies and step is copies[-1] else [step]


def _is_sibling(step: Step) -> bool:
    """Whether all it reads is the item before it, which reads what stands before their list: both mean that."""
    before = step.reads[0] if len(step.reads) == 1 else None
    if not step.clause.item or before is None or before.clause.item is None or not before.reads:
        return False
    return all(other.clause.item is None for other in before.reads)


def _tells_results(step: Step) -> bool:
    """Whether a "which of them ..." is asked of summaries and not of documents: nothing is left to be looked up."""
    told = len(step.reads) > 1 and all(each.specialist == SUMMARIZATION for each in step.reads)
    return told and step.specialist == RETRIEVAL and not _OF_DOCUMENTS.search(step.clause.masked)


def read_whole(
    clause: Clause, specialist: str, named: tuple[str, ...], attached: Sequence[DocumentInfo], *, reads: bool
) -> tuple[str, ...]:
    """The documents a step reads whole: those it names, else all attached ones unless it reads earlier steps.

    Args:
        clause: what it does.
        specialist: who does it; retrieval searches and reads none whole.
        named: the documents it names.
        attached: what there is.
        reads: whether it reads earlier steps.
    """
    if specialist == RETRIEVAL:
        return ()
    if named:
        return named
    if points_to_attached(clause, attached) or (not reads and specialist != CODE):
        return tuple(document.name for document in attached)
    return ()


def points_to_attached(clause: Clause, attached: Sequence[DocumentInfo]) -> bool:
    """Whether it speaks of what is attached."""
    return bool(attached) and _ATTACHED.search(clause.masked) is not None


def by_hops(step: Step, most: int) -> list[Step]:
    """A question and nothing else, with the questions it rests on before it.

    A request that asks for more than the answer (passages, a format) stays one look-up, so that its wishes hold for
    the whole.

    Args:
        step: the only step of a plan.
        most: how many steps the plan may have.
    """
    words = step.clause.masked.strip()
    if step.specialist != RETRIEVAL or not words.endswith("?") or words.count("?") > 1:
        return [step]
    inner = inner_questions(step.clause.text)
    if not inner or len(inner) >= most:
        return [step]
    found: list[Step] = []
    for one in inner:
        clause = Clause(one.question, mask(one.question), "hop")
        found.append(Step(clause, step.routed, reads=[found[place] for place in one.reads]))
    step.reads = [found[number] for number, one in enumerate(inner) if one.outermost]
    return [*found, step]


def supplied(steps: Sequence[Step], collection: Sequence[DocumentInfo], most: int) -> list[Step]:
    """Give a summary that has nothing to read what the collection holds for it.

    The only document there is; all of them where the words say so; else what a search for its topic finds.

    Args:
        steps: the wired steps.
        collection: what can be searched.
        most: how many steps the plan may have.
    """
    found: list[Step] = []
    spare = most - len(steps)
    for step in steps:
        if step.specialist == SUMMARIZATION and collection and not (step.reads or step.documents):
            topic = _TOPIC.search(_LENGTH_WISH.sub("", step.clause.text.rstrip(" .!?\n")))
            if len(collection) == 1 and not step.clause.payload:
                step.documents = (collection[0].name,)
            elif topic and has_matter(step.clause) and not step.clause.payload and spare > 0:
                spare -= 1
                text = f"Find what the documents say about {topic.group(1)}."
                search = Step(Clause(text, mask(text), "implied"), _given(RETRIEVAL))
                step.reads = [search]
                found.append(search)
            elif not has_matter(step.clause) and _ALL_OF_THEM.search(step.clause.masked):
                step.documents = tuple(document.name for document in collection)
        found.append(step)
    return found


def _given(specialist: str) -> Routed:
    return Routed(specialist, Routing(method="rule", margin=1.0), {specialist: 1.0})
