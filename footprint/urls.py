"""Every address of the site. Rooms are named by string only."""

from django.urls import include, path

from footprint.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("", include("footprint.desk.urls")),
    path("", include("cases.urls")),
    path("", include("hunts.urls")),
]

handler400 = "footprint.desk.views.errors.bad_request"
handler403 = "footprint.desk.views.errors.forbidden"
handler404 = "footprint.desk.views.errors.not_found"
handler500 = "footprint.desk.views.errors.server_error"
