from __future__ import annotations

from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from cases.arrays import array_of_numbers, array_of_texts

# No text of the database holds NUL or half of a pair.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


def back(array: str, kind: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}[]", [array])
        return cursor.fetchone()[0]


class TestArrays(TestCase):
    @given(st.lists(st.none() | TEXTS))
    def test_texts_arrive_as_they_are(self, texts: list[str | None]) -> None:
        assert back(array_of_texts(texts), "text") == texts

    @given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)))
    def test_numbers_arrive_as_they_are(self, numbers: list[int | None]) -> None:
        assert back(array_of_numbers(numbers), "bigint") == numbers
