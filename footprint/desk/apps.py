from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "footprint.desk"
    label = "desk"
    verbose_name = "Desk"
