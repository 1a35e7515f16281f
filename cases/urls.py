from django.urls import path

from cases.views import deciding, decision, decision_list, decisions, queue, values

urlpatterns = [
    path("decisions/", decision_list.decision_list, name="decisions"),
    path("decisions/<int:pk>/", decision.decision_page, name="decision"),
    path("cases/<int:pk>/", queue.queue, name="case"),
    path("cases/<int:pk>/seen", queue.mark_seen, name="case-seen"),
    path("cases/<int:pk>/decisions/", decisions.decisions, name="case-decisions"),
    path("cases/<int:pk>/decisions/<int:decision_pk>/undo", deciding.undo_decision, name="case-undo"),
    path("cases/<int:pk>/values/<int:value_pk>/", values.value_page, name="case-value"),
    path("cases/<int:pk>/values/<int:value_pk>/row", queue.row, name="case-row"),
    path("cases/<int:pk>/values/<int:value_pk>/decide", deciding.decide_value, name="case-decide"),
]
