"""Who gets a request."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from nonet.agents.router import Request, Router
from nonet.specialists.general import GeneralSpecialist

BUILTIN: dict[str, Sequence[str]] = {
    "code": (),
    "retrieval": (),
    "summarization": (),
    "general": GeneralSpecialist.examples,
}


@pytest.mark.parametrize(
    ("text", "has_document", "wanted"),
    [
        ("Write a Python function that adds two numbers.", False, "code"),
        ("I need `pad` implemented. It must satisfy pad('a', 3) == 'a  '", False, "code"),
        ("Write a function that summarises a text.", True, "code"),
        ("Who founded the town where the poet was born?", False, "retrieval"),
        ("Look up when the pump was replaced.", False, "retrieval"),
        ("According to the notes, who has the keys?", True, "retrieval"),
        ("Boil the attached letter down to a sentence.", True, "summarization"),
        ("What did the treasurer think of the plan?", True, "summarization"),
        ("When is the next meeting, and where?", True, "retrieval"),
        ("who has to call the printer", True, "retrieval"),
        ("What is the monthly rent?", True, "retrieval"),
        ("When discussing the rent, what did the tenants want?", True, "summarization"),
        ("Who is the stranger and what happens to him in the story?", True, "summarization"),
        ("Nina has 14 marbles and gives a third of 9 away. How many are left?", False, "general"),
        ("Hello! How are you?", False, "general"),
        ("Tell me a joke.", False, "general"),
    ],
)
async def test_routes_by_wording(text: str, has_document: bool, wanted: str) -> None:  # noqa: FBT001
    routed = await Router(BUILTIN).route(text, has_document=has_document)
    assert routed.specialist == wanted
    assert routed.routing.margin >= 0


async def test_shows_the_examples_that_decided() -> None:
    routed = await Router(BUILTIN).route("The pianist who taught the composer came from where")
    assert routed.routing.method == "lexical"
    assert routed.routing.nearest


async def test_a_specialist_without_examples_changes_nothing() -> None:
    for text in (
        "Sum up the report.",
        "Write a function that adds.",
        "The pianist who taught the composer came from where",
    ):
        alone = await Router(BUILTIN).route(text)
        assert await Router({**BUILTIN, "silent": ()}).route(text) == alone
    assert (await Router({"silent": ()}).route("Anything.")).specialist == "silent"


TRANSLATION = (
    "Translate this letter into French.",
    "Translate the menu into Italian.",
    "I need a Polish translation of the manual.",
    "Make a translation of the summary.",
)
NOTES = (
    "Summarize the clinical note.",
    "Summarize this patient's discharge letter.",
    "Sum up the patient's chart without names.",
    "De-identify the clinical note and sum it up.",
)


@pytest.mark.parametrize(
    ("text", "has_document", "wanted"),
    [
        ("Translate minutes.txt to Spanish, please.", True, "translation"),
        ("Is there a translation of the contract?", False, "translation"),
        ("Summarize the note on this patient in two sentences.", True, "notes"),
        ("Summarize the report in two sentences.", True, "summarization"),
        ("Write a Python function that sums up a list.", False, "code"),
        ("When was the pump replaced?", False, "retrieval"),
        ("Tell me a joke.", False, "general"),
    ],
)
async def test_the_words_of_a_users_examples_are_cues_and_leave_the_others_alone(
    text: str,
    has_document: bool,  # noqa: FBT001
    wanted: str,
) -> None:
    router = Router({**BUILTIN, "translation": TRANSLATION, "notes": NOTES})
    assert (await router.route(text, has_document=has_document)).specialist == wanted


async def test_a_specialist_of_the_user_wins_by_its_examples() -> None:
    examples = (
        "Translate this letter into French.",
        "Translate the menu into Italian.",
        "How do you say hello in Finnish?",
    )
    router = Router({**BUILTIN, "translation": examples})
    assert (await router.route("Translate this memo into French.")).specialist == "translation"
    assert (await router.route("Write a Python function that adds two numbers.")).specialist == "code"


async def test_one_specialist_gets_everything() -> None:
    assert (await Router({"poet": ("Write a poem.",)}).route("Sum up the report.")).specialist == "poet"


async def test_no_specialists_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Router({})


class Letters:
    """An embedder that counts letters, so that equal texts have equal vectors."""

    def __init__(self) -> None:
        self.embedded: list[str] = []

    async def __call__(self, texts: Sequence[str]) -> tuple[tuple[float, ...], ...] | None:
        self.embedded.extend(texts)
        return tuple(_unit(text) for text in texts)


def _unit(text: str) -> tuple[float, ...]:
    counts = [text.casefold().count(letter) + 0.01 for letter in "abcdefghijklmnopqrstuvwxyz"]
    length = sum(count * count for count in counts) ** 0.5
    return tuple(count / length for count in counts)


async def test_embeds_the_examples_once_and_takes_them_from_a_store() -> None:
    specialists = {"a": ("alpha beta gamma",), "b": ("xylophone zebra",)}
    embed = Letters()
    vectors = await Router(specialists, embed).prepare()
    assert set(vectors) == {"alpha beta gamma", "xylophone zebra"}
    again = Letters()
    router = Router(specialists, again)
    assert await router.prepare(json.loads(json.dumps(vectors))) == vectors
    assert again.embedded == []
    routed = await router.route("zebra xylophone")
    assert (routed.specialist, routed.routing.method) == ("b", "embedding")
    assert again.embedded == ["zebra xylophone"]


async def test_embeds_undecided_requests_in_one_call_and_decided_ones_not_at_all() -> None:
    calls: list[list[str]] = []

    async def embed(texts: Sequence[str]) -> tuple[tuple[float, ...], ...] | None:
        calls.append(list(texts))
        return tuple(_unit(text) for text in texts)

    router = Router(BUILTIN, embed)
    await router.prepare()
    calls.clear()
    plain = Request("Write a Python function that adds two numbers.")
    open_ones = (Request("the weather and the tide"), Request("a matter of taste"))
    await router.route_many((open_ones[0], plain, open_ones[1]))
    assert calls == [[request.text for request in open_ones]]


async def test_an_embedder_that_gives_nothing_leaves_the_words() -> None:
    async def embed(texts: Sequence[str]) -> tuple[tuple[float, ...], ...] | None:
        return None if texts else ()

    router = Router(BUILTIN, embed)
    assert await router.prepare() == {}
    assert (await router.route("the weather and the tide")).routing.method == "lexical"


async def test_an_unclear_request_is_not_sure() -> None:
    routed = await Router(BUILTIN).route("mmm")
    assert not routed.routing.sure
