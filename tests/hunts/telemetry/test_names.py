from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hunts.telemetry.names import file_key


def test_ascii_letters_are_folded_and_no_others() -> None:
    assert file_key("GRÖẞE-İ.EXE") == "grÖẞe-İ.exe"


@given(st.text())
def test_a_key_is_its_own_key(name: str) -> None:
    assert file_key(file_key(name)) == file_key(name)
