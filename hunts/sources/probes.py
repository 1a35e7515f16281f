"""The Test of a source: what works, in order, and what to do about the first thing that does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hunts.kql.cells import UnreadableCell, read_moment
from hunts.kql.files import parse_file
from hunts.kql.footprint import TABLE, Query, footprint_query
from hunts.kql.plan import newest_query
from hunts.kql.window import Window
from hunts.sources.base import Adapter, Check, Probe, Step
from hunts.sources.errors import NotSignedIn, Refused, Rejected, SourceError

PROBE_SECONDS = 60.0
KNOCK_SECONDS = 15.0

# Asked for to see that every column is there; no file is called so.
_NO_FILE = parse_file("no-such-file.footprint")
_A_SHORT_TIME = timedelta(hours=1)
_RECENTLY = timedelta(days=2)
# Clocks of machines run ahead; what they report is newer than now.
_AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Subject:
    """What is looked at, in words, and what to do when a step fails."""

    service: str
    endpoint: str
    identity: str
    advice: Mapping[Step, str]
    now: datetime
    retention_days: int | None


def look_at(adapter: Adapter, subject: Subject, reach: Callable[[float], None]) -> Probe:
    """Raises nothing."""
    checks: list[Check] = []
    newest: datetime | None = None
    try:
        reach(KNOCK_SECONDS)
        _ask_for_columns(adapter, subject)
        checks += _passed_by_asking(subject)
        newest = _newest(adapter, subject)
        checks.append(_newest_check(newest, subject))
        if newest is not None:
            checks.append(_retention_check(adapter, subject))
    except SourceError as error:
        checks = _until(error, checks, subject)
    return Probe(tuple(checks), newest)


def _passed_by_asking(subject: Subject) -> list[Check]:
    return [
        Check(Step.REACHED, True, f"{subject.endpoint} answers."),
        Check(Step.SIGNED_IN, True, f"Signed in with {subject.identity}."),
        Check(Step.PERMITTED, True, f"{subject.service} takes our questions."),
        Check(Step.TABLE, True, f"{TABLE} is there, with every column we ask for."),
    ]


def _until(error: SourceError, checks: list[Check], subject: Subject) -> list[Check]:
    """The checks up to the one that this error fails."""
    if checks:
        failed = Step.RETENTION if len(checks) > len(_BY_ASKING) else Step.NEWEST
    else:
        failed = _step_of(error)
        checks = [check for check in _passed_by_asking(subject) if _comes_before(check.step, failed)]
    advice = subject.advice.get(failed, "Try again in a few minutes.")
    return [*checks, Check(failed, False, str(error), error.said, advice)]


_BY_ASKING = (Step.REACHED, Step.SIGNED_IN, Step.PERMITTED, Step.TABLE)


def _step_of(error: SourceError) -> Step:
    match error:
        case NotSignedIn():
            return Step.SIGNED_IN
        case Refused():
            return Step.PERMITTED
        case Rejected():
            return Step.TABLE
        case _:
            return Step.REACHED


def _comes_before(step: Step, other: Step) -> bool:
    order = list(Step)
    return order.index(step) < order.index(other)


def _ask_for_columns(adapter: Adapter, subject: Subject) -> None:
    window = Window(subject.now - _A_SHORT_TIME, subject.now)
    adapter.ask(footprint_query([_NO_FILE], window, adapter.dialect), window, timeout=PROBE_SECONDS)


def _newest(adapter: Adapter, subject: Subject) -> datetime | None:
    """Recent time first: looking through everything is slow, and seldom needed."""
    recent = Window(subject.now - _RECENTLY, subject.now + _AHEAD)
    query = newest_query(adapter.dialect)
    return _moment(adapter, query, recent) or _moment(adapter, query, Window())


def _oldest_query(adapter: Adapter) -> Query:
    return Query(f"{TABLE}\n| summarize Oldest=min({adapter.dialect.time_column})", ("Oldest",))


def _moment(adapter: Adapter, query: Query, window: Window) -> datetime | None:
    answer = adapter.ask(query, window, timeout=PROBE_SECONDS)
    cells = [cell for (cell,) in answer.rows if cell not in (None, "")]
    if not cells:
        return None
    try:
        return read_moment(cells[0])
    except UnreadableCell as error:
        raise Rejected("The answer is not what was asked for.", said=str(error)) from error


def _newest_check(newest: datetime | None, subject: Subject) -> Check:
    if newest is None:
        advice = subject.advice.get(Step.NEWEST, "")
        return Check(Step.NEWEST, False, f"{TABLE} is empty.", advice=advice)
    return Check(Step.NEWEST, True, f"The newest event is {_age(newest, subject.now)}.")


def _retention_check(adapter: Adapter, subject: Subject) -> Check:
    oldest = _moment(adapter, _oldest_query(adapter), Window())
    if oldest is None:
        return Check(Step.RETENTION, False, "No event is left.", advice="Test again.")
    kept = "" if subject.retention_days is None else f" {subject.retention_days} days are kept."
    return Check(Step.RETENTION, True, f"The oldest event is {_age(oldest, subject.now)}.{kept}")


def _age(moment: datetime, now: datetime) -> str:
    days = (now - moment).days
    ago = "" if days < 1 else " (1 day ago)" if days == 1 else f" ({days:,} days ago)"
    return f"of {moment:%Y-%m-%d %H:%M} UTC{ago}"
