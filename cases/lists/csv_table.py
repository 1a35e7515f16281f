"""Any table with a column of subjects: by the name of its column, else the column that holds the most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from cases.lists.base import ListError, ListLine, ListReader, split_lines
from cases.lists.records import DELIMITERS, Record, delimiter_of, records
from cases.verdicts.subject import SubjectKind, SubjectRefused, read_subject

# By how surely a column of this name holds the subject.
SUBJECT_COLUMNS = (
    "value", "indicatorvalue", "indicator", "ioc", "observable", "subject", "searchkey", "entry",
    "domain", "domainname", "fqdn", "hostname", "host", "dns", "name",
    "ip", "ipaddress", "address", "remoteip", "cidr", "network", "subnet", "range",
    "url", "remoteurl",
)  # fmt: skip
_KIND_COLUMNS = ("kind", "subjectkind")
_VERDICT_COLUMNS = ("verdict", "action")
_SAYS = {
    "allow": "allowed", "allowed": "allowed", "permit": "allowed", "whitelist": "allowed",
    "block": "blocked", "blocked": "blocked", "deny": "blocked", "blacklist": "blocked",
}  # fmt: skip
_LOOKED_AT = 100
# Spreadsheets take cells that begin like this for formulas, so exports put an apostrophe before them.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


class CsvTable(ListReader):
    slug = "csv"
    label = "CSV"

    @classmethod
    def fits(cls, text: str) -> bool:
        first = first_line(text)
        if any(name in SUBJECT_COLUMNS for name in names_of(first)):
            return True
        some = [line for line in split_lines(text[:20_000])[:_LOOKED_AT] if line.strip()]
        apart = sum(any(each in line for each in DELIMITERS) for line in some)
        return apart * 2 > len(some) and _best_column(_some_records(text, delimiter_of(first))) is not None

    def lines(self, text: str) -> Iterator[ListLine]:
        delimiter = delimiter_of(first_line(text))
        names = names_of(first_line(text))
        column = _named(names, self.subject_columns())
        has_header = column is not None
        if column is None:
            some = _some_records(text, delimiter)
            column = _best_column(some)
            if column is None:
                raise ListError("No column of this table holds names, addresses or networks.")
            has_header = not _is_subject(_cell(some[0].cells, column))
            names = names if has_header else []
        yield from self._read(records(text, delimiter), names, column, has_header)

    def subject_columns(self) -> Sequence[str]:
        return SUBJECT_COLUMNS

    def is_gone(self, names: Sequence[str], cells: Sequence[str]) -> bool:
        """Whether the row tells of an entry that is on the list no more."""
        return False

    def _read(
        self, found: Iterator[Record], names: Sequence[str], column: int, has_header: bool
    ) -> Iterator[ListLine]:
        kind_at, says_at = _named(names, _KIND_COLUMNS), _named(names, _VERDICT_COLUMNS)
        awaits_header = has_header
        for number, text, cells in found:
            if not text.strip():
                yield ListLine(number, text, is_aside=True)
            elif awaits_header:
                awaits_header = False
                yield ListLine(number, text, is_aside=True)
            elif not cells:
                yield ListLine(
                    number,
                    text,
                    refused="This line cannot be taken apart: a quote does not close, or it is too long.",
                )
            elif self.is_gone(names, cells):
                yield ListLine(number, text, is_aside=True)
            elif not _cell(cells, column):
                yield ListLine(number, text, refused="The column of the subject is empty.")
            else:
                kind = _cell(cells, kind_at).lower()
                says = _SAYS.get(_cell(cells, says_at).lower(), "")
                known = kind if kind in set(SubjectKind) else ""
                yield ListLine(number, text, undefused(_cell(cells, column)), known, says)


def first_line(text: str) -> str:
    return next((line for line in split_lines(text[:20_000]) if line.strip()), "")


def names_of(first: str) -> list[str]:
    """The names of the columns, without what people put between words."""
    found = next(records(first, delimiter_of(first)), None)
    cells = found.cells if found else ()
    return ["".join(letter for letter in cell.lower() if letter.isalnum()) for cell in cells]


def undefused(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _named(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _cell(cells: Sequence[str], at: int | None) -> str:
    return cells[at].strip() if at is not None and at < len(cells) else ""


def _some_records(text: str, delimiter: str) -> list[Record]:
    return [each for each in islice(records(text, delimiter), _LOOKED_AT) if each.text.strip()]


def _best_column(some: Sequence[Record]) -> int | None:
    width = max((len(each.cells) for each in some), default=0)
    counts = [sum(_is_subject(_cell(each.cells, at)) for each in some) for at in range(width)]
    return counts.index(max(counts)) if any(counts) else None


def _is_subject(text: str) -> bool:
    """Words and numbers are names to a resolver; a dot or a colon tells the ones that are meant."""
    if "." not in text and ":" not in text:
        return False
    try:
        read_subject(text)
    except SubjectRefused:
        return False
    return True
