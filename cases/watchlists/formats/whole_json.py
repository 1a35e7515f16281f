from __future__ import annotations

from json.encoder import encode_basestring as quoted

from cases.watchlists.formats.base import Format, ListEntry, Said
from cases.watchlists.formats.spelled import moment


class WholeJson(Format):
    """Everything, for programs."""

    slug = "json"
    label = "JSON"
    media_type = "application/json"
    extension = "json"
    between = ",\n"

    def opening(self) -> str:
        list_ = self.published
        return (
            f'{{"watchlist":{quoted(list_.slug)},"title":{quoted(list_.title)},'
            f'"verdict":{quoted(list_.verdict)},"publication":{list_.number},'
            f'"published_at":"{moment(list_.at)}","entries":[\n'
        )

    def say(self, entry: ListEntry) -> Said:
        expires = "null" if entry.expires_at is None else f'"{moment(entry.expires_at)}"'
        case = "null" if entry.case is None else entry.case
        return Said(
            f'{{"kind":"{entry.kind}","value":{quoted(entry.value)},"verdict":"{entry.verdict}",'
            f'"reason":{quoted(entry.reason)},"case":{case},"decided_by":{quoted(entry.decided_by)},'
            f'"decided_at":"{moment(entry.decided_at)}","expires_at":{expires},"decision":{entry.decision}}}'
        )

    def closing(self) -> str:
        return "\n]}\n"
