"""The report as a Markdown file, to hand on. Values are defanged, and no value becomes markup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from cases.models import Decision, Proposal
from footprint.desk.markdown_text import indicator, table, text, verbatim
from footprint.desk.report import Report, VerdictPart, Waiting
from footprint.desk.report_hunts import HuntAsked
from footprint.desk.shown import defanged
from footprint.desk.times import utc_minute


def as_markdown(report: Report) -> str:
    parts = [
        _head(report),
        _asked(report),
        _found(report),
        _decided(report),
        _open(report),
        _notes(report),
        _proof(report),
    ]
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _head(report: Report) -> Iterator[str]:
    case = report.case
    if case.tlp:
        yield f"**{text(case.get_tlp_display())}**"
        yield ""
    yield f"# Case {case.pk}: {text(case.title)}"
    yield ""
    if case.why:
        yield f"> {text(case.why)}"
        yield ""
    state = f"{case.get_state_display()}{f' since {utc_minute(case.state_at)}' if case.state_at else ''}"
    facts = [
        ("State", state + (f": {case.state_reason}" if case.state_reason else "")),
        ("Severity", case.get_severity_display()),
        ("Owner", str(case.owner)),
        ("Assignee", str(case.assignee or "nobody")),
        ("Tags", ", ".join(case.tags) or "none"),
        ("Opened", utc_minute(case.opened_at)),
        ("Report made", f"{utc_minute(report.made_at)} by {report.made_by}"),
    ]
    yield from table(["", ""], [[text(name), text(said)] for name, said in facts])


def _asked(report: Report) -> Iterator[str]:
    yield "## What was asked"
    yield ""
    if not report.hunts:
        yield "No hunt has asked anything, so nothing is proven."
        yield ""
    for hunt in report.hunts:
        yield from _hunt(hunt)
    yield "### Files"
    yield ""
    heads = ["File", "Kind", "Blocked", "Allowed", "Undecided", "Asked"]
    yield from table(
        heads,
        [
            [
                text(found.file.text),
                text(found.file.get_kind_display()),
                f"{found.counts.blocked:,}",
                f"{found.counts.allowed:,}",
                f"{found.counts.undecided:,}",
                "yes" if found.is_asked else "**never asked**",
            ]
            for found in report.files
        ],
    )
    if report.files_more:
        yield f"{report.files_more:,} more files are not listed here."
        yield ""


def _hunt(asked: HuntAsked) -> Iterator[str]:
    hunt = asked.hunt
    schedule = hunt.schedule.words if hunt.schedule else "only when somebody asks"
    yield f"### Hunt {hunt.pk} at {text(hunt.source.title)}"
    yield ""
    yield f"- {_count(asked.files, 'file')}, asked {text(schedule)}; runs: {text(asked.runs_in_words)}"
    if asked.last:
        ended = f", ended {utc_minute(asked.last.ended_at)}" if asked.last.ended_at else ", not ended yet"
        yield f"- Last run {asked.last.pk}: {text(asked.last.get_state_display() + ended)}"
        for reason in asked.last.reasons:
            yield f"  - {text(reason)}"
    if asked.digest:
        yield f"- KQL: {_count(asked.texts, 'text')} sent by that run, SHA-256 `{asked.digest}`"
    yield f"- Coverage, whole UTC days from {asked.coverage.first} to {asked.coverage.last}:"
    for line in asked.coverage.lines:
        yield f"  - {line.words}: {line.count:,} ({text(line.days)})"
    yield f"- {text(asked.coverage.said)}"
    yield ""


def _found(report: Report) -> Iterator[str]:
    counts = report.counts
    yield "## What was found"
    yield ""
    yield (
        f"{counts.everything:,} values: {counts.blocked:,} blocked, {counts.allowed:,} allowed,"
        f" {counts.undecided:,} undecided. Events are events recorded, never connections."
    )
    yield ""
    if not counts.everything:
        proven = "on full coverage, which is a result" if report.is_proven else "with gaps, which is no proof"
        yield f"Nothing was found, {proven}."
        yield ""
    for part in report.parts:
        if part.listed:
            yield from _values(part)


def _values(part: VerdictPart) -> Iterator[str]:
    yield f"### {part.verdict.capitalize()}"
    yield ""
    heads = ["Value", "Files", "Devices", "Events", "First seen, UTC", "Last seen, UTC", "Decisions"]
    yield from table(
        heads,
        [
            [
                indicator(found.value.value),
                f"{found.value.files:,}",
                f"{found.value.devices:,}{'+' if found.value.devices_more else ''}",
                f"{found.value.events:,}",
                _minute(found.value.first_seen),
                _minute(found.value.last_seen),
                ", ".join(map(str, found.because)),
            ]
            for found in part.listed
        ],
    )
    if part.more:
        yield f"{part.more:,} more {part.verdict} values are not listed here; those with most events are."
        yield ""


def _decided(report: Report) -> Iterator[str]:
    yield "## What was decided"
    yield ""
    if not report.decided_here and not report.decided_elsewhere:
        yield "Nothing was decided."
        yield ""
    if report.decided_here:
        yield from _decisions(report.decided_here)
    if report.decided_here_more:
        yield f"{report.decided_here_more:,} older decisions of this case are not listed here."
        yield ""
    if report.decided_elsewhere:
        yield "### Decided elsewhere, and counting for values above"
        yield ""
        yield from _decisions(report.decided_elsewhere)


def _decisions(decisions: Sequence[Decision]) -> Iterator[str]:
    heads = ["No.", "Decision", "By", "When, UTC", "Until, UTC", "State", "Why"]
    yield from table(
        heads,
        [
            [
                str(decision.pk),
                f"{decision.noun} of {indicator(decision.subject_typed)} {text(_where(decision))}",
                text(decision.proposer)
                + (f", approved by {text(decision.approver)}" if decision.approver else ""),
                _minute(decision.made_at),
                _minute(decision.expires_at) if decision.expires_at else "no end",
                text(decision.get_state_display())
                + (f" {_minute(decision.ended_at)}" if decision.ended_at else ""),
                text(decision.reason),
            ]
            for decision in decisions
        ],
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _minute(moment: datetime) -> str:
    return utc_minute(moment).removesuffix(" UTC")


def _where(decision: Decision) -> str:
    if decision.scope == Decision.Scope.FILE:
        return f"for {decision.file_key}"
    return "everywhere" if decision.scope == Decision.Scope.EVERYWHERE else "in the case"


def _open(report: Report) -> Iterator[str]:
    yield "## What is open"
    yield ""
    said = open_points(report)
    yield from [f"- {text(point)}" for point in said]
    if not said:
        yield "Nothing."
    yield ""


def open_points(report: Report) -> list[str]:
    """What nobody may take for settled, as sentences."""
    undecided, points = report.counts.undecided, []
    if undecided:
        points.append(f"{undecided:,} {'value is' if undecided == 1 else 'values are'} undecided.")
    points += _waiting_points(report.waiting)
    for asked in report.hunts:
        if asked.last is not None and not asked.last.has_ended:
            points.append(f"Run {asked.last.pk} goes on; what it finds is not all here.")
        if not asked.coverage.is_full:
            points.append(f"Hunt {asked.hunt.pk}: {asked.coverage.said}")
    never = sum(1 for found in report.files if not found.is_asked)
    if never:
        points.append(f"{never:,} {'file was' if never == 1 else 'files were'} never asked for.")
    return points


def _waiting_points(waiting: Waiting) -> Iterator[str]:
    for batch, proposals in waiting.batches:
        yield (
            f"{_waits(proposals)} for approval: {batch}, the {batch.in_words}, proposed by {batch.person}."
        )
    for proposal in waiting.proposals:
        yield f"Waits for approval: {_proposed(proposal)}, proposed by {proposal.proposer}."
    if waiting.more:
        yield f"{_waits(waiting.more)} for approval besides, not listed here."


def _waits(proposals: int) -> str:
    return f"{_count(proposals, 'proposal')} {'waits' if proposals == 1 else 'wait'}"


def _proposed(proposal: Proposal) -> str:
    decision = proposal.decision
    what = f"{decision.noun} of {defanged(decision.subject_typed)} {_where(decision)}"
    return f"the withdrawal of the {what}" if proposal.is_withdrawal else f"the {what}"


def _notes(report: Report) -> Iterator[str]:
    if report.notes is None:
        return
    yield "## Notes"
    yield ""
    for note in report.notes:
        yield f"{text(note.author)}, {utc_minute(note.added_at)}:"
        yield ""
        yield from verbatim(note.text)


def _proof(report: Report) -> Iterator[str]:
    ledger = report.ledger
    if ledger is None:
        return
    yield "---"
    yield ""
    yield f"Ledger: entry {ledger.seq}, hash `{ledger.hash}`."
    if ledger.until:
        yield f"Entries up to {ledger.until} were added while the report was made."


def file_name(report: Report, at: datetime) -> str:
    return f"case-{report.case.pk}-{at:%Y-%m-%d}.md"
