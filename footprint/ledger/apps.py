from django.apps import AppConfig


class LedgerConfig(AppConfig):
    name = "footprint.ledger"
    label = "ledger"
    verbose_name = "Ledger"
