from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from cases.models import CaseFile, Decision
from cases.querysets import DecisionQuerySet

if TYPE_CHECKING:
    # Some are named in strings only.
    from cases.watchlists.models import Publication, Receipt, Target, Watchlist

# A service lists what it has taken after this at the latest.
MAY_COME = timedelta(minutes=45)


class PublicationQuerySet(models.QuerySet["Publication"]):
    def of(self, watchlist: Watchlist) -> PublicationQuerySet:
        return self.filter(watchlist=watchlist)

    def published(self) -> PublicationQuerySet:
        """The newest first."""
        return self.filter(state="published").order_by("-number")

    def newest_of_each_list(self) -> PublicationQuerySet:
        return self.filter(state="published").order_by("watchlist_id", "-number").distinct("watchlist_id")

    def held(self) -> PublicationQuerySet:
        return self.filter(state="held")


def decisions_of(watchlist: Watchlist) -> DecisionQuerySet:
    """The decisions in force that the rule takes, before contradictions; in no order."""
    is_wide = watchlist.scopes == ["everywhere"]
    cases = [] if is_wide else list(watchlist.cases.values_list("pk", flat=True))
    named = CaseFile.objects.filter(case__in=cases, kind=OuterRef("file_kind"), key=OuterRef("file_key"))
    reached = Q(scope="everywhere") | Q(case__in=cases) | Q(Q(scope="file") & Exists(named))
    return Decision.objects.in_force().filter(
        reached,
        verdict=watchlist.verdict,
        subject_kind__in=watchlist.subject_kinds,
        scope__in=watchlist.scopes,
    )


class TargetQuerySet(models.QuerySet["Target"]):
    def used(self) -> TargetQuerySet:
        """All but those that were emptied for good."""
        return self.exclude(retired_at__isnull=False, stand="emptied")


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    def there(self) -> ReceiptQuerySet:
        """Entries that the target holds, as far as we know; what was sent and not seen yet, too, and what may
        have been sent."""
        sent = Q(state="pending") & ~Q(content="")
        may_be = Q(accepted_at__isnull=False) | sent | _may_come()
        return self.filter(may_be).exclude(state="withdrawn")

    def may_come(self) -> ReceiptQuerySet:
        """Of what was sent, or was about to be when nobody was left to say so, and is not seen yet."""
        return self.filter(_may_come())


def _may_come() -> Q:
    since = Now() - MAY_COME
    return Q(state__in=("pending", "drifted")) & Q(Q(tried_at__gt=since) | Q(sent_at__gt=since))
