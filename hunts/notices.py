"""What somebody should know about the files of a case before or after opening it. Nothing here refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.urls import reverse

from cases.models import Case, CaseFile
from hunts.file_lines import FileLines
from hunts.kql.files import AskedFile

NAMED_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Notice:
    """kind: "warn" or "" for plain information. `href` and `link` are one step, or empty."""

    kind: str
    title: str
    text: str
    href: str = ""
    link: str = ""

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def notices_about(lines: FileLines, *, besides: Case | None = None) -> list[Notice]:
    """`besides` is the case the lines were opened as; it does not count as another one."""
    return [
        *_already_hunted(lines.files, besides),
        *([_about_sha256(lines.sha256)] if lines.sha256 else []),
        *([_about_doubles(lines)] if lines.doubles else []),
    ]


def about_the_broker(seconds: float) -> Notice:
    return Notice(
        "warn",
        "Queued, the broker is unreachable.",
        f"The run starts once a worker looks; the sweep sends it within {seconds:g} s of the broker's return."
        " Nothing is lost.",
    )


def _already_hunted(files: Sequence[AskedFile], besides: Case | None) -> list[Notice]:
    """One notice per other open case, the youngest first."""
    texts = {(file.kind.value, file.key): file.text for file in files}
    named = CaseFile.objects.filter(
        key__in=[file.key for file in files], case__state=Case.State.OPEN
    ).select_related("case")
    if besides is not None:
        named = named.exclude(case=besides)
    found: dict[Case, list[str]] = {}
    for file in named.order_by("-case_id", "pk"):
        if (file.kind, file.key) in texts:
            found.setdefault(file.case, []).append(texts[file.kind, file.key])
    cases = list(found.items())
    notices = [_hunted_in(case, names) for case, names in cases[:NAMED_AT_MOST]]
    more = len(cases) - NAMED_AT_MOST
    if more > 0:
        notices.append(Notice("", f"{more:,} more open cases", "hunt some of these files too."))
    return notices


def _hunted_in(case: Case, names: Sequence[str]) -> Notice:
    which = names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1:,} more"
    verb = "is" if len(names) == 1 else "are"
    return Notice(
        "",
        f"{which} {verb} already hunted in case {case.pk}.",
        "Its values and decisions are there; a second case keeps its own.",
        reverse("case", args=[case.pk]),
        case.title,
    )


def _about_sha256(count: int) -> Notice:
    what = "A SHA256 finds" if count == 1 else f"{count:,} SHA256 find"
    return Notice(
        "warn",
        f"{what} little.",
        "Defender usually leaves InitiatingProcessSHA256 empty, so nothing found is no proof."
        " A SHA1 finds more.",
    )


def _about_doubles(lines: FileLines) -> Notice:
    said = [f"line {double.number} is line {double.first} again" for double in lines.doubles[:NAMED_AT_MOST]]
    more = len(lines.doubles) - NAMED_AT_MOST
    if more > 0:
        said.append(f"{more:,} more")
    title = (
        "One name stands twice." if len(lines.doubles) == 1 else f"{len(lines.doubles):,} lines are doubles."
    )
    return Notice("", title, f"Counted once: {', '.join(said)}. Capital ASCII letters make no difference.")
