"""The forms of a page, as a browser would send them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_TYPED = {"text", "search", "password", "url", "email", "textarea"}


@dataclass(slots=True)
class SentForm:
    """`given` is what it sends untouched, `texts` what a person types, `acts` its buttons."""

    method: str
    action: str
    given: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    needed: set[str] = field(default_factory=set)
    acts: list[tuple[str, str]] = field(default_factory=list)

    def ways(self) -> list[dict[str, str]]:
        """What each of its buttons would send, with something in every text that is needed."""
        given = {name: text or ("x" if name in self.needed else "") for name, text in self.given.items()}
        return [{**given, name: value} for name, value in self.acts] or [given]


class _Reader(HTMLParser):
    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.forms: list[SentForm] = []
        self.by_id: dict[str, SentForm] = {}
        self.now: SentForm | None = None
        self.choice = ""
        self.area = ""

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        attrs = {name: value or "" for name, value in pairs}
        if tag == "form":
            self.now = SentForm(attrs.get("method", "get").lower(), attrs.get("action") or self.address)
            self.forms.append(self.now)
            self.by_id[attrs.get("id", "")] = self.now
            return
        owner = self.by_id.get(attrs["form"]) if "form" in attrs else self.now
        if owner is None:
            return
        self._add(owner, tag, attrs)

    def _add(self, form: SentForm, tag: str, attrs: dict[str, str]) -> None:
        if "required" in attrs:
            form.needed.add(attrs.get("name", ""))
        name, kind = attrs.get("name", ""), attrs.get("type", "submit" if tag == "button" else "text")
        match tag:
            case "button" if name and kind == "submit":
                form.acts.append((name, attrs.get("value", "")))
            case "textarea":
                form.texts.append(name)
                form.given.setdefault(name, "")
                self.area = name
            case "select":
                self.choice = name
            case "option" if self.choice and ("selected" in attrs or self.choice not in form.given):
                form.given[self.choice] = attrs.get("value", "")
            case "input" if name and kind in _TYPED:
                form.texts.append(name)
                form.given[name] = attrs.get("value", "")
            case "input" if name and (kind not in {"checkbox", "radio", "file"} or "checked" in attrs):
                form.given[name] = attrs.get("value", "on")
            case _:
                pass

    def handle_data(self, data: str) -> None:
        if self.area and self.now is not None:
            self.now.given[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.now = None
        if tag == "textarea":
            self.area = ""
        if tag == "select":
            self.choice = ""


def forms_of(html: str, address: str) -> list[SentForm]:
    reader = _Reader(address)
    reader.feed(html)
    return [form for form in reader.forms if form.texts]
