from __future__ import annotations

import pytest
from django import forms

from cases.case_forms import CaseForm, StateForm
from cases.forms import EndForm
from cases.texts import LONGEST_NOTE, LONGEST_REASON, LONGEST_WHY
from cases.views.notes import NoteForm
from hunts.forms import NewCaseForm

FIELDS: list[tuple[str, type[forms.Form], str, int]] = [
    ("a reason", EndForm, "reason", LONGEST_REASON),
    ("a state", StateForm, "reason", LONGEST_REASON),
    ("a note", NoteForm, "text", LONGEST_NOTE),
    ("why a case is", CaseForm, "why", LONGEST_WHY),
    ("why a case is opened", NewCaseForm, "why", LONGEST_WHY),
]
each_field = pytest.mark.parametrize(
    ("form", "name", "longest"), [field[1:] for field in FIELDS], ids=[field[0] for field in FIELDS]
)


@each_field
def test_the_end_of_a_line_counts_once(form: type[forms.Form], name: str, longest: int) -> None:
    lines = "\r\n".join(["x"] * (longest // 2))
    assert form.base_fields[name].clean(lines) == lines.replace("\r", "")


@each_field
def test_one_letter_more_is_refused(form: type[forms.Form], name: str, longest: int) -> None:
    with pytest.raises(
        forms.ValidationError, match=f"at most {longest:,} characters; this one has {longest + 1:,}"
    ):
        form.base_fields[name].clean("x" * (longest + 1))


@each_field
def test_a_browser_takes_no_longer_text_either(form: type[forms.Form], name: str, longest: int) -> None:
    widget = form.base_fields[name].widget
    assert f'maxlength="{longest}"' in widget.render(name, "", {})


@pytest.mark.parametrize("form", [NewCaseForm, CaseForm])
@pytest.mark.parametrize("name", ["title", "why"])
def test_a_case_is_opened_with_nothing_that_could_not_be_kept_later(
    form: type[forms.Form], name: str
) -> None:
    for text in ("ab\u202ecd", "x\u0007y", "a\u200bb"):
        with pytest.raises(forms.ValidationError, match="nobody can see"):
            form.base_fields[name].clean(text)
