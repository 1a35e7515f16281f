"""What people may type and see: their own scripts, and no character that nobody can see. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

LONGEST_REASON = 2_000
LONGEST_TITLE = 200
LONGEST_WHY = 10_000
LONGEST_NOTE = 10_000

# Controls, format characters (marks of direction, zero width, tags), private use, lone surrogates, separators
# of lines and paragraphs.
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
# Of the letters, marks and signs, those that leave nothing to see: joiners, fillers and blanks of single
# scripts.
_BLANK = {
    *"\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc\U00016fe4\U0001d159",
    *map(chr, range(0xFE00, 0xFE0E)),
    # Of no meaning yet, but to be drawn as nothing.
    "\u2065",
    *map(chr, range(0xFFF0, 0xFFF9)),
    *map(chr, range(0xE0000, 0xE1000)),
}
# Format characters that are signs of their own.
_SIGNS = {*map(chr, range(0x600, 0x606)), *"\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"}
_JOINER, _NON_JOINER = "\u200d", "\u200c"
_AS_TEXT, _AS_PICTURE = "\ufe0e", "\ufe0f"
_TONES = {chr(code) for code in range(0x1F3FB, 0x1F400)}
# Scripts in which a joiner changes how the letters around it look; as their letters' names begin.
_JOINING = (
    *("ARABIC", "SYRIAC", "MANDAIC", "NKO", "MONGOLIAN"),
    *("DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM"),
    *("SINHALA", "MYANMAR", "KHMER", "TIBETAN", "BALINESE", "JAVANESE"),
)
_SHAPES_OF_MONGOLIAN = {*"\u180b\u180c\u180d\u180f"}
_VIRAMA = 9
_AROUND = 12


def is_hidden(text: str, at: int) -> bool:
    """Whether nobody can see the character at `at`. A joiner is seen by what it does to those beside it."""
    letter = text[at]
    if letter in (_JOINER, _NON_JOINER):
        return not (_joins_letters(text, at) or (letter == _JOINER and _joins_pictures(text, at)))
    if letter in (_AS_TEXT, _AS_PICTURE):
        return not _is_picture(text[at - 1 : at])
    if letter in _SHAPES_OF_MONGOLIAN:
        return not _name(text[at - 1 : at]).startswith("MONGOLIAN LETTER")
    if "\U000e0100" <= letter <= "\U000e01ef":
        return not _name(text[at - 1 : at]).startswith("CJK ")
    return letter in _BLANK or (unicodedata.category(letter) in _HIDDEN and letter not in _SIGNS)


def hidden_in(text: str, *, keep: str = "") -> Iterator[int]:
    """Where the characters are that nobody can see, but for those in `keep`."""
    if text.isascii() and text.isprintable():
        return
    for at, letter in enumerate(text):
        if letter not in keep and is_hidden(text, at):
            yield at


def with_escapes(text: str, *, keep: str = "") -> str:
    """Shows characters that nobody can see as escapes such as \\u202e."""
    hidden = set(hidden_in(text, keep=keep))
    if not hidden:
        return text
    return "".join(_escape(letter) if at in hidden else letter for at, letter in enumerate(text))


def first_hidden(text: str) -> str:
    """What it is and where it stands, such as '\\u202e after “evil”'; empty where there is none."""
    at = next(hidden_in(text, keep="\n\t"), None)
    if at is None:
        return ""
    before = with_escapes(text[max(0, at - _AROUND) : at].rpartition("\n")[2])
    return f"{_escape(text[at])} {f'after “{before}”' if before else 'at the start of a line'}"


def bad_text(what: str, text: str, longest: int) -> str:
    """What is wrong with it, as a sentence; empty when nothing is. `what` is such as “A reason”."""
    plain = with_plain_lines(text).strip()
    if len(plain) > longest:
        return f"{what} has at most {longest:,} characters; this one has {len(plain):,}."
    return bad_line(plain)


def bad_line(text: str) -> str:
    """The same of a text whose length is bound elsewhere."""
    if hidden := first_hidden(with_plain_lines(text)):
        return f"This holds a character that nobody can see: {hidden}."
    return ""


def bad_reason(reason: str) -> str:
    return bad_text("A reason", reason, LONGEST_REASON)


def with_plain_lines(text: str) -> str:
    """Browsers send every line's end as two characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _joins_letters(text: str, at: int) -> bool:
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    script = _joining_script(before)
    if not script:
        return False
    # What kills a vowel is drawn otherwise before a joiner, whatever comes then.
    return unicodedata.combining(before) == _VIRAMA or script == _joining_script(after)


def _joining_script(letter: str) -> str:
    if not letter or unicodedata.category(letter)[0] not in "LM":
        return ""
    script = _name(letter).partition(" ")[0]
    return script if script in _JOINING else ""


def _joins_pictures(text: str, at: int) -> bool:
    before = at - 1
    while before > 0 and text[before] in {_AS_PICTURE, *_TONES}:
        before -= 1
    return _is_symbol(text[before : before + 1]) and at > 0 and _is_symbol(text[at + 1 : at + 2])


def _is_symbol(letter: str) -> bool:
    return bool(letter) and unicodedata.category(letter) == "So" and letter not in _BLANK


def _is_picture(letter: str) -> bool:
    """Whether it may be drawn as a letter or as a picture."""
    if not letter or letter in _BLANK:
        return False
    return letter in "0123456789#*\u2139" or (
        not letter.isascii() and unicodedata.category(letter)[0] in "PS"
    )


def _name(letter: str) -> str:
    return unicodedata.name(letter, "") if letter else ""


def _escape(letter: str) -> str:
    code = ord(letter)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
