"""The form under a row of the queue, with what the decision would touch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.http import QueryDict

from cases.bases import basis_of, covering_values
from cases.drafts import Look, draft, look_at_draft
from cases.forms import DecideForm
from cases.models import Case, CaseFile, CaseValue, Decision
from cases.offers import Offer, offers_for
from cases.reasons import TEMPLATES
from cases.refusals import CannotDecide
from cases.second_person import why_not_alone
from cases.verdicts.subject import shown_form
from cases.views.reach import Reach, reach_of
from footprint.accounts.models import Person


@dataclass(slots=True)
class Editor:
    """`offers` are wider subjects to choose from, empty while the value itself is decided on.

    `why` says why the decision, as it stands, needs a second person. `look` is there once the decision
    shows what it would change.
    """

    form: DecideForm
    verdict: str
    reach: Reach
    in_force: list[Decision]
    last_reason: str
    shown_form: str
    why: Sequence[str] = ()
    offers: list[Offer] = field(default_factory=list)
    look: Look | None = None
    said: str = ""

    @property
    def is_block(self) -> bool:
        return self.verdict == "blocked"

    @property
    def reasons(self) -> Sequence[str]:
        return TEMPLATES[self.verdict]

    @property
    def chosen(self) -> str:
        """The offer that is chosen."""
        return str(self.form["subject"].value() or "")


def editor_for(
    person: Person,
    case: Case,
    value: CaseValue,
    verdict: str,
    *,
    form: DecideForm | None = None,
    reason: str = "",
    is_wider: bool = False,
) -> Editor:
    """`is_wider` offers subjects around the value."""
    initial = DecideForm.first_choices(verdict) | {
        "basis": basis_of(case, value.value),
        "reason": reason,
        "subject": value.value,
    }
    shown = form or DecideForm(initial=initial, files=files_of(value))
    editor = Editor(
        form=shown,
        verdict=verdict,
        reach=reach_of(case, value),
        in_force=list(in_force_on(case, value)),
        last_reason=last_reason(person, verdict),
        shown_form=shown_form(value.value),
        offers=offers_for(value) if is_wider else [],
    )
    if form is None:
        scope = str(initial["scope"])
        exact = draft(person=person, value=value, typed="", verdict=verdict, scope=scope, file=None)
        editor.why = why_not_alone(person, exact)
        if is_wider:
            editor.look = look_at_draft(person, exact)
    return editor


def look_of(person: Person, value: CaseValue, form: DecideForm) -> Look | None:
    """What the form as it stands would change; None, with the error at its field, when it says nothing."""
    is_whole = form.is_valid()
    if not form.cleaned_data.get("verdict") or not form.cleaned_data.get("scope"):
        return None
    try:
        decision = draft(
            person=person,
            value=value,
            typed=form.typed_subject(),
            verdict=form.cleaned_data["verdict"],
            scope=form.cleaned_data["scope"],
            file=form.chosen_file(),
        )
    except CannotDecide as refusal:
        if is_whole or not form.errors.get(_field_of(refusal)):
            add_refusal(form, refusal)
        return None
    return look_at_draft(person, decision)


# Where the fields of an action go by another name in the form.
_FIELD_OF = {"expires_at": "until_date", "subject": "own"}


def _field_of(refusal: CannotDecide) -> str:
    return _FIELD_OF.get(refusal.field, refusal.field)


def add_refusal(form: DecideForm, refusal: CannotDecide) -> None:
    name = _field_of(refusal)
    form.add_error(name if name in form.fields else None, refusal.message)


def files_of(value: CaseValue) -> list[CaseFile]:
    """The files of the case that talk to the value; all of them where that is not known."""
    files = list(value.case.files.all())
    return [file for file in files if file.pk in value.file_ids] or files


def in_force_on(case: Case, value: CaseValue) -> QuerySet[Decision]:
    """The decisions in force that cover the value and reach this case."""
    found = covering_values([value.value]).in_force().covering(case)
    return found.select_related("proposer", "approver", "made_in").order_by("pk")


def last_reason(person: Person, verdict: str) -> str:
    made = Decision.objects.filter(proposer=person, verdict=verdict).order_by("-pk")
    return made.values_list("reason", flat=True).first() or ""


def asked_reason(person: Person, verdict: str, query: QueryDict) -> str:
    """`?reason=last` or the number of one of the texts that are offered."""
    asked = query.get("reason", "")
    if asked == "last":
        return last_reason(person, verdict)
    texts = TEMPLATES[verdict]
    is_number = asked.isascii() and asked.isdecimal() and len(asked) < 3
    return texts[int(asked)] if is_number and int(asked) < len(texts) else ""
