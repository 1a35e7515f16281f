from django.apps import AppConfig


class WatchlistsConfig(AppConfig):
    name = "cases.watchlists"
    label = "watchlists"
    verbose_name = "Watchlists"
