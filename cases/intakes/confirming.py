"""Who may have a list decided: asked when they confirm it, and again before each step of landing it."""

from __future__ import annotations

from footprint.accounts.may import Verb, may
from footprint.accounts.models import Person

# More decisions at once are a lead's.
SMALL_LIST = 500


def takes_lead(person: Person, decisions: int) -> bool:
    return decisions > SMALL_LIST and not may(person, Verb.IMPORT_LARGE_LIST)


def why_not_by(person: Person, decisions: int) -> str:
    """Empty when the person may have so many decisions made."""
    if not person.is_active:
        return f"{person}, who confirmed it, is no longer active."
    if not may(person, Verb.DECIDE) or not may(person, Verb.IMPORT_LIST):
        return f"{person}, who confirmed it, may no longer import decisions."
    if takes_lead(person, decisions):
        return f"{person}, who confirmed it, is no longer a lead; more than {SMALL_LIST} decisions take one."
    return ""
