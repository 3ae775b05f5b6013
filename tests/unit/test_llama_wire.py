"""What llama.cpp says of an answer, in the pieces as it sent them."""

from __future__ import annotations

from nonet.runtimes.llama_wire import Answer

PIECES = (
    {"prompt_progress": {"total": 115, "cache": 107, "processed": 115, "time_ms": 174}, "choices": []},
    {"choices": [{"delta": {"role": "assistant", "content": None}, "finish_reason": None}]},
    {"choices": [{"delta": {"content": "Red"}, "finish_reason": None}]},
    {"choices": [{"delta": {"content": "."}, "finish_reason": None}]},
    {"choices": [{"delta": {}, "finish_reason": "stop"}]},
    {
        "choices": [],
        "usage": {"completion_tokens": 3, "prompt_tokens": 115, "prompt_tokens_details": {"cached_tokens": 107}},
        "timings": {"cache_n": 107, "prompt_n": 8, "prompt_ms": 174.2, "predicted_n": 3, "predicted_ms": 80.0},
    },
)


def test_an_answer_knows_what_it_cost_and_what_was_computed_before() -> None:
    answer = Answer()
    assert [answer.add(piece) for piece in PIECES] == ["", "", "Red", ".", "", ""]
    cost = answer.cost(0.5, 0.2)
    assert (cost.prompt_tokens, cost.completion_tokens, cost.cached_tokens) == (115, 3, 107)
    assert (cost.seconds, cost.load_seconds, cost.prompt_seconds, cost.generation_seconds) == (0.5, 0.2, 0.1742, 0.08)


def test_an_answer_that_told_no_timings_cost_what_is_known() -> None:
    answer = Answer()
    answer.add({"choices": [{"delta": {"content": "x"}, "finish_reason": "length"}], "usage": {"prompt_tokens": 4}})
    cost = answer.cost(0.5, 0.0)
    assert (cost.prompt_tokens, cost.cached_tokens, cost.prompt_seconds) == (4, 0, 0.0)
