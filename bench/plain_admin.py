"""A plain Django admin over the values of the cases, to measure our own pages beside it.

Serves as settings and as addresses: ours, and the admin's beside them.
"""

from __future__ import annotations

from footprint.settings import *  # noqa: F403  # settings are names of a module
from footprint.settings import INSTALLED_APPS as OURS

ADMIN = "django.contrib.admin.apps.SimpleAdminConfig"
INSTALLED_APPS = [*OURS, ADMIN]
ROOT_URLCONF = "plain_urls"
