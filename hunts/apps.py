from django.apps import AppConfig


class HuntsConfig(AppConfig):
    name = "hunts"
    label = "hunts"
    verbose_name = "Hunts"
