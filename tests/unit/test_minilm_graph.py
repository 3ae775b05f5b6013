"""The edit of all-MiniLM's graph; the numbers are compared on the real model, marked slow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nonet.runtimes.catalog import models_folder
from nonet.runtimes.minilm import DIMENSIONS, MiniLm
from nonet.runtimes.minilm_graph import gather_first


def test_a_model_without_the_table_stays_as_it_is() -> None:
    model = bytearray(b"\x08\x0a\x3a\x00")
    assert not gather_first(model)
    assert model == b"\x08\x0a\x3a\x00"


@pytest.mark.slow
def test_the_edited_model_gives_the_same_numbers() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    numpy = pytest.importorskip("numpy")
    named = os.environ.get("NONET_TEST_MODELS")
    path = models_folder(Path(named) if named else None) / "all-minilm-l6-v2-int8.onnx"
    if not path.is_file():
        pytest.skip("all-minilm is not at hand")
    model = path.read_bytes()
    edited = bytearray(model)
    assert gather_first(edited)
    assert len(edited) == len(model)

    ids = numpy.array([[101, 2023, 2003, 1037, 3231, 102], [101, 30521, 0, 102, 0, 0]])
    feed = {"input_ids": ids, "attention_mask": (ids > 0).astype(ids.dtype), "token_type_ids": ids * 0}
    providers = ["CPUExecutionProvider"]
    before, after = (
        onnxruntime.InferenceSession(each, providers=providers).run(None, feed)[0] for each in (model, bytes(edited))
    )
    assert numpy.abs(before - after).max() < 1e-5
    (vector,) = MiniLm(path).embed(["word " * 600])
    assert len(vector) == DIMENSIONS
    assert sum(value * value for value in vector) == pytest.approx(1.0, abs=1e-4)
