"""Whatever stands behind the last checkpoint, hashed anew: both verifiers say the same of it."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footprint.ledger.chain import BrokenChain
from footprint.ledger.models import Entry
from footprint.ledger.verify import verify
from tests.footprint.ledger.kept import PUBLIC, VERIFIER, Kept, refused, rehash_from, tamper

UNSEALED = 8


@pytest.fixture(scope="module")
def alone() -> ModuleType:
    spec = importlib.util.spec_from_file_location("stand_alone_verifier", VERIFIER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ours() -> str:
    try:
        verify(trusted=[PUBLIC])
    except BrokenChain as error:
        return str(error)
    return "holds"


def theirs(alone: ModuleType, kept: Kept) -> str:
    path = kept.exported()
    try:
        alone.verify(path, kept.file, [PUBLIC])
    except alone.Broken as error:
        return str(error)
    return "holds"


def write_instead(text: str) -> None:
    tamper("SELECT 1")
    Entry.objects.filter(seq=UNSEALED).update(text=text)
    rehash_from(UNSEALED)


@pytest.mark.parametrize(
    "after", ["NOT JSON", "[" * 100_000 + "]" * 100_000, '"a', "{}}", "1,,2"], ids=lambda after: after[:10]
)
def test_a_text_that_is_no_json_is_named_by_both(alone: ModuleType, kept: Kept, after: str):
    text = Entry.objects.get(seq=UNSEALED).text
    write_instead(text.replace('"after":null', f'"after":{after}'))
    assert ours() == theirs(alone, kept) == f"Entry {UNSEALED}: the text belongs to another entry"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_both_say_the_same_of_a_text_cut_anywhere(alone: ModuleType, kept: Kept, data: st.DataObject):
    text = Entry.objects.get(seq=UNSEALED).text
    begin = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(begin, min(len(text), begin + 4)))
    put = data.draw(st.text('{}[]",:0 ', max_size=2))
    write_instead(text[:begin] + put + text[end:])
    # A column beside the text is no part of an export: only our own can compare it.
    said = ours()
    if "beside its text" not in said:
        assert said == theirs(alone, kept)
    write_instead(text)


def test_a_ledger_that_no_trusted_checkpoint_seals_does_not_pass(kept: Kept):
    tamper("DELETE FROM ledger_checkpoint")
    kept.file.unlink()
    error = refused("verify_ledger", key=[PUBLIC])
    assert (error.returncode, "No checkpoint" in str(error)) == (4, True)


def test_verifying_makes_no_key(kept: Kept, settings):
    folder = kept.folder / "elsewhere"
    settings.FOOTPRINT = settings.FOOTPRINT.model_copy(update={"ledger_key": "", "data_dir": folder})
    assert "Whose checkpoints they are was not checked." in verify().in_words()
    assert not folder.exists()
