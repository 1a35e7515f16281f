from django.urls import path

from cases.views import (
    case_facts,
    changes,
    deciding,
    decision,
    decision_list,
    decisions,
    notes,
    preflight,
    queue,
    values,
)

urlpatterns = [
    path("decisions/", decision_list.decision_list, name="decisions"),
    path("decisions/<int:pk>/", decision.decision_page, name="decision"),
    path("cases/<int:pk>/", queue.queue, name="case"),
    path("cases/<int:pk>/edit/", case_facts.edit, name="case-edit"),
    path("cases/<int:pk>/state/", case_facts.state, name="case-state"),
    path("cases/<int:pk>/assign", case_facts.assign_case, name="case-assign"),
    path("cases/<int:pk>/notes/", notes.notes, name="case-notes"),
    path("cases/<int:pk>/notes/preview", notes.preview, name="case-note-preview"),
    path("cases/<int:pk>/notes/<int:note_pk>/", notes.edit_note, name="case-note"),
    path("cases/<int:pk>/notes/<int:note_pk>/remove", notes.remove, name="case-note-remove"),
    path("cases/<int:pk>/changes", changes.changes, name="case-changes"),
    path("cases/<int:pk>/seen", queue.mark_seen, name="case-seen"),
    path("cases/<int:pk>/decisions/", decisions.decisions, name="case-decisions"),
    path("cases/<int:pk>/decisions/<int:decision_pk>/undo", deciding.undo_decision, name="case-undo"),
    path("cases/<int:pk>/values/<int:value_pk>/", values.value_page, name="case-value"),
    path("cases/<int:pk>/preflight", preflight.preflight_part, name="case-preflight"),
    path("cases/<int:pk>/values/<int:value_pk>/row", queue.row, name="case-row"),
    path("cases/<int:pk>/values/<int:value_pk>/decide", deciding.decide_value, name="case-decide"),
]
