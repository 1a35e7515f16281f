from django.urls import path

from hunts.views import kql, opening, runs, sources

urlpatterns = [
    path("cases/new/", opening.new_case, name="new-case"),
    path("cases/new/files", opening.check_files, name="new-case-files"),
    path("cases/<int:pk>/runs/", runs.runs, name="case-runs"),
    path("cases/<int:pk>/runs/now", runs.run_now, name="run-now"),
    path("cases/<int:pk>/runs/<int:run_pk>/", runs.runs, name="case-run"),
    path("cases/<int:pk>/runs/<int:run_pk>/progress", runs.progress, name="run-progress"),
    path("cases/<int:pk>/runs/<int:run_pk>/cancel", runs.cancel, name="run-cancel"),
    path("cases/<int:pk>/kql/", kql.kql, name="case-kql"),
    path("sources/", sources.sources, name="sources"),
]
