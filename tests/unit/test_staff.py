"""Who works here: shipped, given in code, declared in nonet.toml, installed as a pack; and what is wrong with some."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fakes.packs import write_pack
from fakes.specialists import StaffMember

from nonet.errors import SettingsError, SpecialistError
from nonet.settings import load
from nonet.specialists.staff import IN_CODE, SHIPPED, Staff, find_staff

SHIPPED_NAMES = ["code", "retrieval", "summarization", "general"]
MODULE = '''
from nonet.specialists.define import specialist

@specialist(examples=["Rhyme this."], models=["smollm2:135m"])
def rhymes(assignment):
    """Makes rhymes."""
    return assignment.text

@specialist(name="taken")
def other(assignment):
    return ""

class Lacking:
    name = "lacking"

def bare(assignment):
    return ""
'''


def staff(folder: Path, toml: str) -> Staff:
    (folder / "nonet.toml").write_text(toml, encoding="utf-8")
    return find_staff(load(folder=folder).settings.specialists)


def test_without_anything_those_that_ship_are_here() -> None:
    found = find_staff({})
    assert list(found.specialists) == SHIPPED_NAMES
    assert set(found.origins.values()) == {SHIPPED}
    assert found.problems == ()


def test_a_pack_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = {"rhymes": "pack_rhymes:rhymes"}
    monkeypatch.syspath_prepend(write_pack(tmp_path, "nonet-rhymes", points, {"pack_rhymes": MODULE}))
    found = find_staff({})
    assert list(found.specialists) == [*SHIPPED_NAMES, "rhymes"]
    assert found.origins["rhymes"] == "pack nonet-rhymes 1.0"
    assert found.models == {"rhymes": ("smollm2:135m",)}
    assert found.specialists["rhymes"].description == "Makes rhymes."


@pytest.mark.parametrize(
    ("point", "words"),
    [
        ({"broken": "pack_broken:thing"}, "RuntimeError: no licence"),
        ({"broken": "pack_absent:thing"}, "No module named 'pack_absent'"),
        ({"broken": "pack_bad:nothing"}, "has no attribute 'nothing'"),
        ({"broken": "pack_bad:Lacking"}, "description, examples, work missing"),
        ({"broken": "pack_bad:bare"}, "Did you forget @nonet.specialist"),
        ({"broken": "pack_bad:rhymes"}, "called 'rhymes', and registered as 'broken'"),
        ({"code": "pack_bad:code"}, "the name 'code' is taken by one that comes from elsewhere (ships with nonet)"),
    ],
)
def test_a_broken_pack_is_named_and_breaks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: dict[str, str], words: str
) -> None:
    bad = MODULE + '\n@specialist(name="code")\ndef code(assignment):\n    return ""\n'
    modules = {"pack_broken": 'raise RuntimeError("no licence")', "pack_bad": bad}
    monkeypatch.syspath_prepend(write_pack(tmp_path, "nonet-bad", point, modules))
    found = find_staff({})
    assert list(found.specialists) == SHIPPED_NAMES
    (problem,) = found.problems
    assert words in problem.reason
    assert problem.origin == "pack nonet-bad 1.0"
    assert problem.told() == found.why_missing(next(iter(point)))


def test_two_packs_with_one_name_do_not_depend_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, pack in enumerate(("nonet-b", "nonet-a")):
        text = MODULE.replace("Makes rhymes.", f"Of {pack}.")
        folder = write_pack(tmp_path / pack, pack, {"rhymes": f"twin{number}:rhymes"}, {f"twin{number}": text})
        monkeypatch.syspath_prepend(folder)
    found = find_staff({})
    assert found.origins["rhymes"] == "pack nonet-a 1.0"
    (problem,) = found.problems
    assert problem.origin == "pack nonet-b 1.0"
    assert "is taken by one that comes from elsewhere (pack nonet-a 1.0)" in problem.reason


def test_nonet_toml_declares_one(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MODULE, encoding="utf-8")
    found = staff(
        tmp_path,
        """
        [specialists]
        rhymes = "./mine.py:rhymes"
        [specialists.slogan]
        prompt = "You write slogans.\\nShort ones."
        examples = ["Write a slogan."]
        models = ["smollm2:135m"]
        output = { slogan = "string", mood = ["calm", "loud"], year = "integer?" }
        """,
    )
    assert found.problems == ()
    assert {found.origins[name] for name in ("rhymes", "slogan")} == {"nonet.toml"}
    slogan = found.specialists["slogan"]
    assert slogan.description == "You write slogans."
    assert slogan.output["properties"] == {  # type: ignore[attr-defined]
        "slogan": {"type": "string"},
        "mood": {"enum": ["calm", "loud"]},
        "year": {"type": ["integer", "null"]},
    }


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('x = "./gone.py:x"', "There is no file"),
        ('x = "no.such.module:x"', "there is no module 'no'"),
        ('x = "./syntax.py:x"', "importing it raised SyntaxError"),
        ('x = "./fine.py:Class.missing"', "the module has no 'Class.missing'"),
        ('x = { prompt = "p", tools = ["./fine.py:untyped"] }', "what type its parameter a has"),
        ('x = { prompt = "p", tools = ["./fine.py:odd"] }', "No schema can say the types of the tool odd"),
        ('x = { prompt = "p", output = { a = "strnig" } }', "output.a is 'strnig', which is no type"),
        ('x = { prompt = "p", output = { a = { type = "strnig" } } }', "JSON schema is not valid"),
        ('supervisor = { prompt = "p" }', "cannot be its name"),
        ('"Big Name" = { prompt = "p" }', "cannot be its name"),
    ],
)
def test_what_cannot_be_loaded_is_left_out(tmp_path: Path, toml: str, words: str) -> None:
    (tmp_path / "syntax.py").write_text("def", encoding="utf-8")
    fine = "class Class: ...\ndef untyped(a): ...\nclass Odd: ...\ndef odd(a: Odd): ...\n"
    (tmp_path / "fine.py").write_text(fine, encoding="utf-8")
    found = staff(tmp_path, f"[specialists]\n{toml}\n")
    assert list(found.specialists) == SHIPPED_NAMES
    assert words in found.problems[0].reason


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("x = { promt = 'p' }", "specialists.x.promt"),
        ("x = { examples = ['e'] }", "either a prompt or a `use`"),
        ("x = { use = 'a:b', prompt = 'p' }", "has its own prompt"),
        ("x = { prompt = 'p', mcp = [{}] }", "either a command or a url"),
        ("x = 'nothing'", "should be written module:object or ./file.py:object, not 'nothing'"),
    ],
)
def test_a_wrong_setting_is_named_with_its_place(tmp_path: Path, toml: str, words: str) -> None:
    with pytest.raises(SettingsError, match=r"nonet\.toml, line 2") as caught:
        staff(tmp_path, f"[specialists]\n{toml}\n")
    assert words in caught.value.message


def test_of_several_tables_the_wrong_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"specialists\.b\.prompt \(from \S+nonet\.toml, line 3\)"):
        staff(tmp_path, "[specialists.a]\nprompt = 'p'\n[specialists.b]\nprompt = 3\n")
    with pytest.raises(SettingsError, match=r"specialists\.d\.use \(from \S+nonet\.toml, line 3\)"):
        staff(tmp_path, "[specialists]\nc = 'a:b'\nd = 'nothing'\n")


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give a file away")
def test_code_that_another_user_names_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "nonet.toml").write_text("[specialists]\nx = './mine.py:x'\n", encoding="utf-8")
    os.chown(tmp_path / "nonet.toml", 12345, 12345)
    with pytest.raises(SettingsError, match="line 1: the file belongs to another user and names code"):
        load(folder=tmp_path)
    (tmp_path / "nonet.toml").write_text("light = true\n", encoding="utf-8")
    assert load(folder=tmp_path).settings.light


def test_one_given_in_code_must_be_right() -> None:
    found = find_staff({}, [StaffMember("mine")])
    assert found.origins["mine"] == IN_CODE
    with pytest.raises(SpecialistError, match="the name 'code' is taken"):
        find_staff({}, [StaffMember("code")])
    with pytest.raises(SpecialistError, match="cannot be its name"):
        find_staff({}, [StaffMember("Not good")])
