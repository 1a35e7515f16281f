"""Every address of the site. Rooms are named by string only."""

from django.urls import include, path

from footprint.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("", include("footprint.desk.urls")),
    path("", include("cases.urls")),
    path("", include("hunts.urls")),
]
