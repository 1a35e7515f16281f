"""The form in which people say when a hunt is asked again."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from hunts.models import Hunt
from hunts.schedules import LONGEST_CRON, BadSchedule, Rhythm, Schedule

MOST_OVERLAP_DAYS = 366
NEVER = ""
_WHOLE = {"invalid": "Give a whole number."}


@cache
def zones() -> tuple[str, ...]:
    """Names people choose from: regions and UTC, without the old aliases."""
    named = {
        zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/"))
    }
    return ("UTC", *sorted(named))


class ScheduleForm(forms.Form):
    rhythm = forms.ChoiceField(
        label="Ask",
        required=False,
        choices=[
            (NEVER, "only when somebody asks"),
            (Rhythm.HOURS.value, "every so many hours"),
            (Rhythm.DAYS.value, "every so many days, at a time of day"),
            (Rhythm.CRON.value, "by a cron expression"),
        ],
        error_messages={"invalid_choice": "Choose how often to ask."},
    )
    every = forms.IntegerField(label="Every", required=False, initial=1, error_messages=_WHOLE)
    at = forms.TimeField(
        label="At",
        required=False,
        initial=time_of_day(6),
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        error_messages={"invalid": "Give a time of day such as 06:00."},
    )
    time_zone = forms.CharField(
        label="Time zone",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off", "spellcheck": "false"}),
    )
    cron = forms.CharField(
        label="Cron expression",
        required=False,
        max_length=LONGEST_CRON,
        widget=forms.TextInput(
            attrs={"spellcheck": "false", "autocomplete": "off", "placeholder": "0 6 * * MON-FRI"}
        ),
        help_text="Minute, hour, day of the month, month, day of the week.",
        error_messages={"max_length": f"An expression has at most {LONGEST_CRON} characters."},
    )
    overlap_hours = forms.IntegerField(
        label="Look back, in hours",
        required=False,
        min_value=1,
        max_value=MOST_OVERLAP_DAYS * 24,
        help_text="Empty: what suits the schedule. Whole UTC days are asked, and days that are still owed.",
        error_messages=_WHOLE,
    )

    def __init__(self, *args: Any, hunt: Hunt, **kwargs: Any) -> None:
        self.hunt = hunt
        kwargs.setdefault("initial", _initial(hunt))
        super().__init__(*args, **kwargs)

    def clean_time_zone(self) -> str:
        zone = str(self.cleaned_data["time_zone"]).strip() or "UTC"
        if zone not in zones():
            raise ValidationError("Give a zone such as Europe/Lisbon, or UTC.")
        return zone

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors and given["rhythm"]:
            try:
                given["schedule"] = self._schedule(given)
            except BadSchedule as error:
                self.add_error(error.field, str(error))
        return given

    @property
    def schedule(self) -> Schedule | None:
        found: Schedule | None = self.cleaned_data.get("schedule")
        return found

    def _schedule(self, given: dict[str, Any]) -> Schedule:
        rhythm = Rhythm(given["rhythm"])
        every = given["every"]
        if rhythm is not Rhythm.CRON and every is None:
            raise BadSchedule("every", f"Give a number of {rhythm.value}.")
        at, zone = given["at"] or time_of_day(6), given["time_zone"]
        if rhythm is Rhythm.HOURS:
            return Schedule(rhythm, every)
        if rhythm is Rhythm.CRON:
            return Schedule(rhythm, cron=given["cron"].strip(), time_zone=zone)
        return Schedule(rhythm, every, at, zone, starts_on=self._starts_on(every, at, zone))

    def _starts_on(self, every: int, at: time_of_day, zone: str) -> date:
        """The count goes on when the days between stay as they were, else begins with the next such time."""
        if self.hunt.rhythm == Rhythm.DAYS and self.hunt.every == every:
            return self.hunt.starts_on
        return first_day_for(at, zone, timezone.now())


def first_day_for(at: time_of_day, zone: str, now: datetime) -> date:
    local = now.astimezone(ZoneInfo(zone))
    return local.date() if local.time() < at else local.date() + timedelta(days=1)


def _initial(hunt: Hunt) -> dict[str, object]:
    """The schedule there is, else one that suits most, in the reader's zone."""
    if not hunt.rhythm:
        return {
            "rhythm": NEVER,
            "every": 1,
            "at": time_of_day(6),
            "time_zone": timezone.get_current_timezone_name(),
        }
    return {
        "rhythm": hunt.rhythm,
        "every": hunt.every,
        "at": hunt.at,
        "time_zone": hunt.time_zone,
        "cron": hunt.cron,
        "overlap_hours": hunt.overlap_hours,
    }
