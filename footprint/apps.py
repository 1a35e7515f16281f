from django.apps import AppConfig

# Importing them registers the system checks and makes the Celery application the current one.
from footprint import celery, checks

__all__ = ["HouseConfig", "celery", "checks"]


class HouseConfig(AppConfig):
    name = "footprint"
    label = "house"
    verbose_name = "Footprint"
