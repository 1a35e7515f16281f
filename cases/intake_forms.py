from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from cases.fields import ReasonField
from cases.forms import FOREVER, MONTH, YEAR
from cases.intakes.taking_in import LARGEST_BYTES
from cases.lists import READERS

# What the browser calls a paste that no field may hold; assets/static/js/paste.js says the same.
_LONG_PASTE = "pasted.txt"
_MB = LARGEST_BYTES // 1_000_000


class ReadListForm(forms.Form):
    """A list, as a file or pasted. Reading it decides nothing."""

    verdict = forms.ChoiceField(
        label="What the list is",
        choices=[("blocked", "to block"), ("allowed", "to allow")],
        widget=forms.RadioSelect,
        initial="blocked",
    )
    file = forms.FileField(
        label="File", required=False, help_text=f"Plain text, CSV or JSON, {_MB} MB at most.", max_length=255
    )
    pasted = forms.CharField(
        label="Or paste it",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "autocapitalize": "none"}),
        help_text="One a line, or a table with a column of names or addresses. Defanged values are welcome.",
    )
    reader = forms.ChoiceField(
        label="Kind of list",
        required=False,
        choices=[("", "by what it looks like"), *((each.slug, each.label) for each in READERS)],
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        has_file, has_text = bool(cleaned.get("file")), bool(cleaned.get("pasted", "").strip())
        if has_file and has_text:
            self.add_error("pasted", "There is a file and a pasted text; take one of them.")
        if not has_file and not has_text and "file" not in self.errors:
            self.add_error("pasted", "Choose a file or paste a list.")
        if has_file and cleaned["file"].size > LARGEST_BYTES:
            self.add_error("file", f"A list has at most {_MB} MB.")
        return cleaned

    def give_paste_back(self) -> None:
        """A long paste came as a file, and no page can give a file back: it goes where it was typed."""
        file = self.files.get("file")
        if (
            file is None
            or file.name != _LONG_PASTE
            or (file.size or 0) > LARGEST_BYTES
            or self.data.get("pasted")
        ):
            return
        file.seek(0)
        try:
            text = file.read().decode()
        except UnicodeDecodeError:
            return
        self.data = {**dict(self.data.items()), "pasted": text}
        for message in self.errors.pop("file", []):
            self.add_error("pasted", message)

    def content(self) -> bytes:
        file = self.cleaned_data["file"]
        if file:
            content: bytes = file.read()
            return content
        return str(self.cleaned_data["pasted"]).encode("utf-8", "surrogatepass")

    def name(self) -> str:
        file = self.cleaned_data["file"]
        return str(file.name) if file else ""


class ConfirmListForm(forms.Form):
    """What all decisions of the list have in common."""

    reason = ReasonField(
        error_messages={"required": "Say why: the reason goes to the ledger with each decision."},
    )
    until = forms.ChoiceField(
        label="Until",
        choices=[(FOREVER, "no end"), (MONTH, "30 days"), (YEAR, "one year")],
        required=False,
    )
    takes_over = forms.BooleanField(required=False)
    # What the lines were found to be, as the reader was shown them.
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["until"]
        return timezone.now() + timedelta(days=int(days)) if days else None
