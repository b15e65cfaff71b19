"""A code says which pass it is for, and nobody but the site can write or change one."""

from __future__ import annotations

import base64
from string import printable
import uuid

from hypothesis import given
from hypothesis import strategies as st

from facegate.record.vault import Vault
from facegate.visitor.code import make_code, read_code

SITE = Vault(bytes(range(32)))
PASS_ID = uuid.UUID(int=7).hex
CODE, DIGEST = make_code(PASS_ID, SITE)


@given(st.uuids(version=4))
def test_a_code_is_read_as_it_was_made(pass_id: uuid.UUID) -> None:
    text, digest = make_code(pass_id.hex, SITE)
    assert text.startswith("FG1.")
    assert read_code(text, SITE) == (pass_id.hex, digest)


def test_every_code_of_a_pass_is_another_one() -> None:
    codes = {make_code(PASS_ID, SITE) for _ in range(20)}
    assert len({text for text, _ in codes}) == len({digest for _, digest in codes}) == 20


def test_every_changed_character_is_refused() -> None:
    alphabet = (set(printable) | {"é", "\0"}) - {""}
    taken = [
        changed
        for place in range(len(CODE))
        for character in alphabet - {CODE[place]}
        if read_code(changed := CODE[:place] + character + CODE[place + 1 :], SITE)
    ]
    assert taken == []


def test_every_missing_or_added_character_is_refused() -> None:
    shorter = [CODE[:place] + CODE[place + 1 :] for place in range(len(CODE))]
    longer = [CODE[:place] + more + CODE[place:] for place in range(len(CODE)) for more in "A=. \n"]
    ends = [CODE + more for more in "A=. \n"]
    assert [text for text in (*shorter, *longer, *ends) if read_code(text, SITE)] == []


def test_a_code_of_another_site_is_refused() -> None:
    other = Vault(bytes(32))
    assert read_code(make_code(PASS_ID, other)[0], SITE) is None


def test_what_the_site_signed_for_another_purpose_is_no_code() -> None:
    data = base64.urlsafe_b64decode(CODE.split(".")[1] + "=")
    signature = base64.urlsafe_b64encode(SITE.sign("something else", data)).rstrip(b"=").decode()
    assert read_code(f"FG1.{CODE.split('.')[1]}.{signature}", SITE) is None


def test_signed_data_of_another_length_is_no_code() -> None:
    data = bytes(33)
    parts = (data, SITE.sign("visitor pass", data))
    texts = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts]
    assert read_code(".".join(("FG1", *texts)), SITE) is None


@given(st.one_of(st.text(), st.text(alphabet="FG1.AB=-_", max_size=40).map(lambda t: f"FG1.{t}")))
def test_no_text_of_a_stranger_is_a_code(text: str) -> None:
    assert read_code(text, SITE) is None


def test_a_huge_text_is_refused() -> None:
    assert read_code(f"{CODE}{'A' * 1_000_000}", SITE) is None
