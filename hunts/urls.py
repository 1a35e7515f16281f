from django.urls import path

from hunts.views import hunts, kql, opening, runs, sources

urlpatterns = [
    path("cases/new/", opening.new_case, name="new-case"),
    path("cases/new/files", opening.check_files, name="new-case-files"),
    path("cases/<int:pk>/runs/", runs.runs, name="case-runs"),
    path("cases/<int:pk>/runs/now", runs.run_now, name="run-now"),
    path("cases/<int:pk>/runs/<int:run_pk>/", runs.runs, name="case-run"),
    path("cases/<int:pk>/runs/<int:run_pk>/progress", runs.progress, name="run-progress"),
    path("cases/<int:pk>/runs/<int:run_pk>/cancel", runs.cancel, name="run-cancel"),
    path("cases/<int:pk>/kql/", kql.kql, name="case-kql"),
    path("hunts/", hunts.hunts, name="hunts"),
    path("hunts/<int:pk>/schedule/", hunts.schedule, name="hunt-schedule"),
    path("hunts/<int:pk>/schedule/times", hunts.next_times, name="hunt-next-times"),
    path("hunts/<int:pk>/pause", hunts.pause, name="hunt-pause"),
    path("hunts/<int:pk>/resume", hunts.resume, name="hunt-resume"),
    path("sources/", sources.sources, name="sources"),
    path("sources/new/", sources.choose_kind, name="new-source"),
    path("sources/new/<slug:kind>/", sources.new_source, name="new-source-of"),
    path("sources/<slug:slug>/", sources.source, name="source"),
    path("sources/<slug:slug>/edit", sources.edit_source, name="source-edit"),
    path("sources/<slug:slug>/test", sources.test, name="source-test"),
    path("sources/<slug:slug>/probe", sources.probe, name="source-probe"),
    path("sources/<slug:slug>/pause", sources.pause, name="source-pause"),
    path("sources/<slug:slug>/resume", sources.resume, name="source-resume"),
]
