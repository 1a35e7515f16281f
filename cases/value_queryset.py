"""The values of a case as the queue asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import idna
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.db.models.functions import Lower, Reverse
from django.db.models.lookups import Contains, StartsWith

from cases.ordering import Key, Order, Place

if TYPE_CHECKING:
    from cases.models import CaseValue

# Values up to this number are few.
FEW = 2_000
_OPEN, _DECIDED = "undecided", ("allowed", "blocked")


class CaseValueQuerySet(models.QuerySet["CaseValue"]):
    def containing(self, text: str) -> CaseValueQuerySet:
        """By three letters at least anywhere in the value, by fewer at its beginning."""
        spellings = {text, text.lower(), ascii_form(text)} - {""}
        matching = Q()
        for spelling in spellings:
            is_long = len(spelling) >= 3
            matching |= Q(Contains(Lower("value"), spelling) if is_long else StartsWith(F("value"), spelling))
        return self.filter(matching)

    def names_below(self, name: str) -> CaseValueQuerySet:
        """The names below this one, in all cases; read backwards they lie beside each other."""
        backwards = name[::-1]
        read = self.filter(kind="name").annotate(backwards=Reverse("value"))
        return read.filter(backwards__gte=f"{backwards}.", backwards__lt=f"{backwards}/")

    def addresses_in(self, network: str) -> CaseValueQuerySet:
        """The addresses in the network. Only an address is ever read as one."""
        inside = Func(
            F("value"),
            Value(network),
            template="(%(expressions)s)",
            arg_joiner="::inet <<= ",
            output_field=models.BooleanField(),
        )
        return self.filter(
            models.Case(models.When(kind="address", then=inside), default=False), kind="address"
        )

    def counted(self, at_most: int) -> int:
        """How many there are, counting no further than one more than `at_most`."""
        return self.order_by()[: at_most + 1].count()

    def counted_by_age(self, at_most: int) -> int:
        """The same of values that contain a text, which lie together in most indexes but not in that of age.

        A walk there meets enough of a common text soon; a rare one has its own index.
        """
        parts = [self.filter(verdict=verdict)._youngest(at_most + 1) for verdict in (*_DECIDED, _OPEN)]
        return parts[0].union(*parts[1:], all=True)[: at_most + 1].count()

    def _youngest(self, at_most: int) -> CaseValueQuerySet:
        return self.only("pk").order_by("-last_seen", "-pk")[:at_most]

    def page_of_many(self, order: Order, after: Place | None, at_most: int) -> list[CaseValue]:
        """The first rows in order, or those after a place: a short walk along one index per verdict."""
        found: list[CaseValue] = []
        if after is None or after.is_open:
            found = list(self.filter(verdict=_OPEN)._walk(order, after)[:at_most])
        if len(found) == at_most:
            return found
        place = after if after is not None and not after.is_open else None
        parts = [self.filter(verdict=verdict)._walk(order, place)[:at_most] for verdict in _DECIDED]
        decided = list(parts[0].union(*parts[1:], all=True))
        decided.sort(key=order.key_of, reverse=order.is_descending)
        return [*found, *decided][:at_most]

    def _walk(self, order: Order, after: Place | None) -> CaseValueQuerySet:
        sign = "-" if order.is_descending else ""
        ordered = self.order_by(*(f"{sign}{column}" for column in order.columns))
        return ordered.filter(_beyond(order, after.key)) if after else ordered

    def page_of_few(self, order: Order, after: Place | None, at_most: int) -> list[CaseValue]:
        """The same for values so few that all of them are read and sorted."""
        sign = "-" if order.is_descending else ""
        few = self.model.objects.filter(pk__in=self.order_by().values("pk")[:FEW])
        if after is not None:
            beyond = Q(is_open=after.is_open) & Q(_beyond(order, after.key))
            few = few.filter(beyond | Q(is_open=False) if after.is_open else beyond)
        return list(few.order_by("-is_open", *(f"{sign}{column}" for column in order.columns))[:at_most])


def _beyond(order: Order, key: Key) -> TupleLessThan | TupleGreaterThan:
    """As one comparison of two columns, which an index answers also where many are equal."""
    compare = TupleLessThan if order.is_descending else TupleGreaterThan
    return compare(Tuple(*(F(column) for column in order.columns)), key)


def ascii_form(text: str) -> str:
    """As an IDN is kept; empty where the text is none."""
    if text.isascii():
        return ""
    try:
        return idna.encode(text.lower(), uts46=True).decode()
    except idna.IDNAError:
        return ""
