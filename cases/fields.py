"""What people write in a form and others will read."""

from __future__ import annotations

from typing import Any

from django import forms

from cases.texts import (
    LONGEST_NOTE,
    LONGEST_REASON,
    LONGEST_TITLE,
    LONGEST_WHY,
    bad_line,
    bad_text,
    with_plain_lines,
)


class SeenField(forms.CharField):
    """A line in which nothing is hidden."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if said := bad_line(value):
            raise forms.ValidationError(said)


class TextField(forms.CharField):
    """Lines in which nothing is hidden; the end of one counts once.

    `what` begins the sentence that tells of too long a text.
    """

    def __init__(self, what: str, longest: int, *, rows: int, **more: Any) -> None:
        # No max_length: it would count a line's end as two characters.
        given: dict[str, Any] = {"widget": forms.Textarea(attrs={"rows": rows, "maxlength": longest})}
        super().__init__(**(given | more))
        self.what = what
        self.longest = longest

    def clean(self, value: Any) -> str:
        text = with_plain_lines(super().clean(value))
        if said := bad_text(self.what, text, self.longest):
            raise forms.ValidationError(said)
        return text


class ReasonField(TextField):
    def __init__(self, *, rows: int = 2, **more: Any) -> None:
        given = {"error_messages": {"required": "Say why: the reason goes to the ledger."}}
        super().__init__("A reason", LONGEST_REASON, rows=rows, **(given | more))


class TitleField(TextField):
    """Of a case."""

    def __init__(self) -> None:
        super().__init__(
            *("A title", LONGEST_TITLE),
            rows=1,
            widget=forms.TextInput(attrs={"maxlength": LONGEST_TITLE}),
            error_messages={"required": "Give the case a title."},
        )


class WhyField(TextField):
    """Of a case."""

    def __init__(self, *, rows: int) -> None:
        super().__init__("Why", LONGEST_WHY, rows=rows, required=False)


class NoteField(TextField):
    def __init__(self, **more: Any) -> None:
        super().__init__("A note", LONGEST_NOTE, rows=6, **more)
