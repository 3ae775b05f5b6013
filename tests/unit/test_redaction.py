"""What must not leave the machine does not, and comes back in the answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nonet.runtimes import Message
from nonet.runtimes.redaction import Redactor

SECRETS = {
    "KEY": (
        "sk-proj-Ab12Cd34Ef56Gh78Ij90",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAbc=\n-----END RSA PRIVATE KEY-----",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ),
    "EMAIL": ("ada.lovelace+notes@example.co.uk", "x@y.de"),
    "ACCOUNT": ("DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"),
    "CARD": ("4111 1111 1111 1111", "5500-0000-0000-0004"),
    "PHONE": ("+49 30 901820", "(030) 90 18 20", "(555) 123-4567", "555-123-4567", "+1 (555) 123-4567", "0171/1234567"),
    "ADDRESS": ("192.168.17.4", "2001:0db8:85a3:0000:0000:8a2e:0370:7334"),
    "PATH": ("/home/ada/plans/engine.txt", "~/notes/x.md", r"C:\Users\ada\plan.docx", r"\\server\share\a.xlsx"),
}
ALL = [(kind, value) for kind, values in SECRETS.items() for value in values]


def sent(text: str) -> tuple[str, Redactor]:
    redactor = Redactor()
    (message,) = redactor.messages([Message("user", text)])
    return message.content, redactor


@pytest.mark.parametrize(("kind", "value"), ALL)
def test_each_kind_is_taken_out_and_put_back(kind: str, value: str) -> None:
    text = f"Please look at {value} and again {value}, then answer."
    outside, redactor = sent(text)
    assert value not in outside
    assert outside.count(f"[{kind}_1]") == 2
    assert redactor.restored(outside) == text


@pytest.mark.parametrize(
    "text",
    [
        "def add(a, b):\n    return a + b  # 3.14159 * 2 == 6.28318",
        "The pump HL-3318-M was replaced on 2024-05-07 at 12:30; it holds 1,200 litres.",
        "assert f([1, 2, 3]) == 6 and 10 / 3 < 3.34",
        "See section 2.3.1 of the manual, and/or the README.",
        "1234567890123456 is no card",
        "DE00 1234 5678 9012 3456 78 is no account",
    ],
)
def test_plain_text_and_code_stay(text: str) -> None:
    assert sent(text)[0] == text


@pytest.mark.parametrize(
    "text",
    ["password: hunter2!", 'API_KEY="abcd1234"', "the secret is swordfish", "Authorization: Bearer abcdef123456"],
)
def test_what_is_called_a_secret_is_one(text: str) -> None:
    outside, redactor = sent(text)
    assert text.rsplit(maxsplit=1)[-1].rsplit("=", maxsplit=1)[-1].strip('"') not in outside
    assert redactor.restored(outside) == text


def test_a_placeholder_of_the_text_itself_is_not_taken_for_ours() -> None:
    text = "[EMAIL_1] is a placeholder, a@example.com is none."
    outside, redactor = sent(text)
    assert "a@example.com" not in outside
    assert redactor.restored(outside) == text


def test_values_come_back_within_json() -> None:
    outside, redactor = sent(r"Read C:\Users\ada\plan.txt")
    assert json.loads(redactor.restored(json.dumps({"file": outside}), is_json=True)) == {
        "file": r"Read C:\Users\ada\plan.txt"
    }


def test_one_value_has_one_name_in_all_messages_and_is_told() -> None:
    redactor = Redactor()
    first, second = redactor.messages([Message("system", "To a@b.com"), Message("user", "a@b.com or c@d.org")])
    assert (first.content, second.content) == ("To [EMAIL_1]", "[EMAIL_1] or [EMAIL_2]")
    assert redactor.told() == "2 e-mail addresses taken out"
    assert Redactor().told() == "nothing had to be taken out"


@given(st.text(max_size=300))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    outside, redactor = sent(text)
    assert redactor.restored(outside) == text


@given(
    st.text(alphabet="abc .,;:()\n\"'<>=", max_size=60),
    st.sampled_from(ALL),
    st.text(alphabet="abc .,;()\n", max_size=60),
)
def test_no_known_secret_leaves_whatever_stands_around_it(before: str, secret: tuple[str, str], after: str) -> None:
    outside, redactor = sent(f"{before} {secret[1]} {after}")
    assert secret[1] not in outside
    assert redactor.restored(outside) == f"{before} {secret[1]} {after}"
