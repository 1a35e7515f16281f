"""Who may do what. Everything is denied that is not named here."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from footprint.accounts.models import Person, Role

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class Verb(StrEnum):
    READ_CASES = "cases:read"
    OPEN_CASE = "cases:open"
    EDIT_CASE = "cases:edit"
    RUN_HUNT = "hunts:run"
    PROPOSE = "cases:propose"
    DECIDE = "cases:decide"
    APPROVE = "cases:approve"
    APPROVE_WIDE = "cases:approve_wide"
    IMPORT_LIST = "decisions:import"
    IMPORT_LARGE_LIST = "decisions:import_large"
    MANAGE_KNOWN_LISTS = "known_lists:manage"
    READ_WATCHLISTS = "watchlists:read"
    MANAGE_WATCHLISTS = "watchlists:manage"
    READ_SOURCES = "sources:read"
    READ_LEDGER = "ledger:read"
    PROVE_LEDGER = "ledger:prove"
    MANAGE_SOURCES = "sources:manage"
    MANAGE_PEOPLE = "people:manage"
    KEEP_ACCOUNT = "account:keep"


_READER = frozenset(
    {Verb.READ_CASES, Verb.READ_WATCHLISTS, Verb.READ_SOURCES, Verb.READ_LEDGER, Verb.KEEP_ACCOUNT}
)
_ANALYST = _READER | {Verb.OPEN_CASE, Verb.EDIT_CASE, Verb.RUN_HUNT, Verb.PROPOSE}
_REVIEWER = _ANALYST | {Verb.DECIDE, Verb.APPROVE, Verb.IMPORT_LIST}
_LEAD = _REVIEWER | {
    Verb.APPROVE_WIDE,
    Verb.IMPORT_LARGE_LIST,
    Verb.MANAGE_KNOWN_LISTS,
    Verb.MANAGE_WATCHLISTS,
    Verb.MANAGE_SOURCES,
}

_VERBS_OF: dict[str, frozenset[Verb]] = {
    Role.READER: _READER,
    Role.ANALYST: _ANALYST,
    Role.REVIEWER: _REVIEWER,
    Role.LEAD: _LEAD,
    Role.AUDITOR: _READER | {Verb.PROVE_LEDGER},
    Role.ADMINISTRATOR: _READER | {Verb.MANAGE_PEOPLE},
}


def roles_with(verb: Verb) -> list[str]:
    """The roles whose people may do it."""
    return [role for role, verbs in _VERBS_OF.items() if verb in verbs]


def may(person: Person | AnonymousUser, verb: Verb, thing: object = None) -> bool:
    """Whether `person` may do `verb`, to `thing` where the verb needs one.

    All cases are visible to all roles for now, so no rule looks at `thing` yet; callers pass it
    all the same, so that a later rule about one case needs no new call.
    """
    if not isinstance(person, Person) or not person.is_active:
        return False
    return verb in _VERBS_OF.get(person.role, frozenset())
