"""What somebody should know about the files of a case before or after opening it. Nothing here refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.db.models import Count, Min
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
    """One notice per other open case, the youngest first, however many files they share."""
    # Keys of names and of hashes never meet: a name of 40 or 64 hexadecimal digits counts as a hash.
    texts = {file.key: file.text for file in files}
    named = CaseFile.objects.filter(key__in=list(texts), case__state__in=Case.LIVE)
    if besides is not None:
        named = named.exclude(case=besides)
    shared = named.values("case_id", "case__title").annotate(files=Count("pk"), one=Min("key"))
    cases = list(shared.order_by("-case_id")[: NAMED_AT_MOST + 1])
    notices = [
        _hunted_in(case["case_id"], case["case__title"], texts[case["one"]], case["files"])
        for case in cases[:NAMED_AT_MOST]
    ]
    if len(cases) > NAMED_AT_MOST:
        notices.append(Notice("", "More open cases", "hunt some of these files too."))
    return notices


def _hunted_in(case: int, title: str, name: str, files: int) -> Notice:
    which = f"{name} is" if files == 1 else f"{name} and {files - 1:,} more are"
    return Notice(
        "",
        f"{which} already hunted in case {case}.",
        "Its values and decisions are there; a second case keeps its own.",
        reverse("case", args=[case]),
        title,
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
