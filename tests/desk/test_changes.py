from __future__ import annotations

import pytest

from footprint.desk.changes import changed_fields, in_words


def test_what_differs_comes_first() -> None:
    fields = changed_fields({"a": 1, "state": "in force"}, {"a": 1, "state": "withdrawn"})
    assert [(field.name, field.differs) for field in fields] == [("state", True), ("a", False)]


def test_something_new_differs_from_nothing() -> None:
    (field,) = changed_fields({}, {"ended_at": "now"})
    assert (field.name, field.before, field.after, field.differs) == ("ended at", "none", "now", True)


def test_an_entry_without_a_before_tells_what_it_holds() -> None:
    (field,) = changed_fields(None, {"files": [["name", "a.exe"]]})
    assert (field.before, field.after, field.differs) == (None, "name, a.exe", False)


def test_an_entry_that_holds_nothing_has_no_fields() -> None:
    assert changed_fields(None, None) == []


def test_what_is_empty_throughout_is_left_out() -> None:
    assert changed_fields({"case": None, "file": ""}, {"case": None, "file": ""}) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "none"),
        ("", "none"),
        ([], "none"),
        (0, "0"),
        (True, "yes"),
        (False, "no"),
        (1234567, "1,234,567"),
        ({"covered": 29, "no_telemetry": 1}, "covered 29, no telemetry 1"),
        (["a", ["b", 2]], "a, b, 2"),
    ],
)
def test_values_in_words(value: object, words: str) -> None:
    assert in_words(value) == words
