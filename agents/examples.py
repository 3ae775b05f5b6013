"""More example requests for the specialists that ship, beside the dozen each brings itself.

Routing compares a request with all of them, so they cover ways of asking rather than topics.
"""

from __future__ import annotations

from collections.abc import Mapping

MORE_EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "code": (
        "Write a Python function that reverses the words of a sentence.",
        "Write a function to count how often each item occurs in a list.",
        "Implement a queue class with push and pop methods.",
        "I need `add_tax` implemented: it takes a price and a rate. It must satisfy add_tax(100, 0.2) == 120.",
        "Fix this function: it raises an IndexError for an empty list.",
        "Give me a script that renames all files of a folder by date.",
        "Check whether a given string is a valid IPv4 address, in Python.",
        "Sort a list of tuples by the second element and return the largest.",
        "def running_mean(values): complete this so that the tests pass",
        "Find the longest increasing subsequence of an array.",
        "Refactor the class below to use dataclasses.",
        "Create a regular expression that matches ISO dates.",
        "Convert a nested dictionary to a flat one with dotted keys.",
        "Add unit tests for the parser.",
    ),
    "retrieval": (
        "Who was the architect of the town hall in the birthplace of the composer?",
        "When was the company that built the bridge founded?",
        "Which river flows through the city where the author of the novel was born?",
        "What year did the husband of the queen's sister die?",
        "Were the two directors from the same country?",
        "Which of the two bands was formed first, the one from Leeds or the one from Hull?",
        "Does vitamin D lower the risk of falls in elderly patients?",
        "Is early surgery better than waiting for patients with this fracture?",
        "Effect of a low-salt diet on blood pressure: a matter of age?",
        "Find the passages that mention the delivery date.",
        "Look up in the manual how the filter is changed.",
        "According to the notes, what was the budget for the second year?",
        "Where do the documents say who is responsible for the keys?",
        "Search the collection for the study on sleep and memory.",
        "The actor who played the detective was born in which town?",
        "What is the name of the fort on the island where the treaty was signed?",
    ),
    "summarization": (
        "Summarize the attached report in three sentences.",
        "Give me the gist of this article.",
        "What did the manager think about the new design in the meeting?",
        "What was decided about the budget, and why?",
        "What is the story about?",
        "How does the relationship between the two brothers change over the story?",
        "Describe the setting of the story.",
        "Why did the group decide against the second option?",
        "Boil the letter down to one sentence.",
        "Merge these two sentences into one short paragraph.",
        "Recap the discussion of the marketing plan.",
        "What role does the captain play in the story?",
        "List the main points of the text.",
        "Condense the findings for a newcomer.",
    ),
    "general": (
        "Sam buys 4 tickets at $12 each and pays with a $100 bill. How much change does he get?",
        "A baker makes 60 rolls, sells three quarters of them and gives away 5. How many are left?",
        "Lena is twice as old as her brother, who is 9. How old will she be in 6 years?",
        "A car drives 150 miles on 5 gallons. How far does it get on 12 gallons?",
        "Good morning!",
        "What is the square root of 144?",
        "Suggest a title for a poem about autumn.",
        "Explain in one sentence why the sky is blue.",
    ),
}


def with_more(specialists: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The specialists' own examples, then ours for those that ship; a name that is not given stays out."""
    return {
        name: tuple(dict.fromkeys((*examples, *MORE_EXAMPLES.get(name, ())))) for name, examples in specialists.items()
    }
