from cases.models.batch import Batch, BatchValue, LeftAlone
from cases.models.case import Case, CaseFile, CaseVisit
from cases.models.choices import FileKind, Severity, Tlp, ValueKind, Verdict
from cases.models.decision import Decision
from cases.models.endpoint import CaseValue, Endpoint, Sighting
from cases.models.intake import Intake, IntakeLine
from cases.models.known import KnownEntry, KnownList
from cases.models.note import Note
from cases.models.proposal import Proposal
from cases.models.resettling import Resettling
from cases.models.review import FileTrait, ReviewDue
from cases.models.value_count import ValueCount

__all__ = [
    "Batch",
    "BatchValue",
    "Case",
    "CaseFile",
    "CaseValue",
    "CaseVisit",
    "Decision",
    "Endpoint",
    "FileKind",
    "FileTrait",
    "Intake",
    "IntakeLine",
    "KnownEntry",
    "KnownList",
    "LeftAlone",
    "Note",
    "Proposal",
    "Resettling",
    "ReviewDue",
    "Severity",
    "Sighting",
    "Tlp",
    "ValueCount",
    "ValueKind",
    "Verdict",
]
