from __future__ import annotations

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from footprint.memory import keep_what_is_loaded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "footprint.settings")

application = get_wsgi_application()
# The views too, which would else be loaded by the first request.
import_module(settings.ROOT_URLCONF)
keep_what_is_loaded()
