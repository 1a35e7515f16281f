"""What a line of COPY holds is what comes back of the table."""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from cases.copied import copied_array, copied_text

# PostgreSQL keeps no NUL and no half of a pair; `visible` has spelled them out before.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20) | st.text(
    '\\"{},\n\r\t N', max_size=8
)


def copied_back(texts: list[str], text: str) -> tuple[list[str], str]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE copied_back (texts text[], one text)")
        with cursor.copy("COPY copied_back FROM STDIN") as copy:
            copy.write(f"{copied_array(texts)}\t{copied_text(text)}\n")
        cursor.execute("SELECT texts, one FROM copied_back")
        found: tuple[list[str], str] = cursor.fetchone()
        cursor.execute("DROP TABLE copied_back")
    return found


@pytest.mark.django_db
@given(st.lists(TEXTS, max_size=4), TEXTS)
def test_any_text_comes_back_as_it_was(texts: list[str], text: str):
    assert copied_back(texts, text) == (texts, text)


def test_numbers_are_items_too():
    assert copied_array([443, 80]) == '{"443","80"}'
