from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from cases.fields import TitleField, WhyField
from hunts.actions import LookBack
from hunts.file_lines import FileLines, read_file_lines
from hunts.models import Source

MOST_FILES = 10_000
MOST_DAYS = 3650
_SO_MANY_DAYS = re.compile(r"([0-9]{1,9}) ?(?:d|days?)?", re.IGNORECASE | re.ASCII)


class NewCaseForm(forms.Form):
    """A case and its first hunt. Once validated, `lines` tells what each line of the files is."""

    title = TitleField()
    why = WhyField(rows=2)
    # Not a CharField: what cannot be asked for is told line by line.
    files = forms.Field(  # type: ignore[assignment]  # a form's own `files` are uploads; it takes none
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocapitalize": "none"}),
        error_messages={"required": "Name at least one file."},
        help_text="One a line: a file name without its folder, or a SHA1 or SHA256.",
    )
    source = forms.ChoiceField(error_messages={"required": "Choose a source to ask."})
    look_back = forms.CharField(
        initial="30 days",
        max_length=20,
        help_text=f"1 to {MOST_DAYS} whole UTC days up to today, or the first day, such as 2026-10-01.",
        error_messages={"required": "Say how far to look back."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines: FileLines | None = None
        known = list(Source.objects.all())
        self._sources = {source.slug: source for source in known if not source.is_paused}
        self.paused = [source for source in known if source.is_paused]
        field = cast("forms.ChoiceField", self.fields["source"])
        field.choices = [(slug, source.title) for slug, source in self._sources.items()]
        field.error_messages["invalid_choice"] = self._not_to_be_asked()

    def _not_to_be_asked(self) -> str:
        """The chosen source may have been paused since the form was shown."""
        chosen = self.data.get("source") if self.is_bound else None
        for source in self.paused:
            if source.slug == chosen:
                because = f" {source.paused_because}" if source.paused_because else ""
                # The message is a format of its own.
                return f"{source.title} is paused.{because}".replace("%", "%%")
        return f"There is no source called %(value)s. Known are: {', '.join(self._sources)}."

    def clean_files(self) -> FileLines:
        self.lines = read_file_lines(str(self.cleaned_data["files"]))
        bad = len(self.lines.bad)
        if bad:
            raise ValidationError(
                "One line cannot be asked for." if bad == 1 else f"{bad:,} lines cannot be asked for."
            )
        if not self.lines.files:
            raise ValidationError("Name at least one file.")
        if len(self.lines.files) > MOST_FILES:
            raise ValidationError(
                f"These are {len(self.lines.files):,} files; a case names at most {MOST_FILES:,}."
            )
        return self.lines

    def clean_source(self) -> Source:
        return self._sources[self.cleaned_data["source"]]

    def clean_look_back(self) -> LookBack:
        return read_look_back(self.cleaned_data["look_back"], datetime.now(UTC).date())


def read_look_back(text: str, today: date) -> LookBack:
    """ "30", "30d", "30 days" or a day such as "2026-10-01"; raises ValidationError."""
    days = _SO_MANY_DAYS.fullmatch(text)
    if days is not None:
        if not 1 <= int(days[1]) <= MOST_DAYS:
            raise ValidationError(f"Look back 1 to {MOST_DAYS:,} days.")
        return LookBack(int(days[1]))
    try:
        since = date.fromisoformat(text)
    except ValueError as error:
        raise ValidationError("Give a number of days, or a day such as 2026-10-01.") from error
    if since > today:
        raise ValidationError(f"{since} is in the future. Today is {today} (UTC).")
    if (today - since).days >= MOST_DAYS:
        raise ValidationError(f"{since} is too long ago: look back at most {MOST_DAYS:,} days.")
    return LookBack(since=since)
