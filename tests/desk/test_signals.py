from __future__ import annotations

import pytest

from footprint.desk.signals import signals_of


def words_of(value: str, kind: str, **known: int | bool) -> list[str]:
    given: dict[str, int | bool] = {"is_new": False, "decided": 0, "endpoints": 1} | known
    found = signals_of(
        value,
        kind,
        is_new=bool(given["is_new"]),
        decided=int(given["decided"]),
        endpoints=int(given["endpoints"]),
    )
    return [signal.words for signal in found]


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        ("cdn.example.com", "name", []),
        ("xn--pple-43d.example", "name", ["shown: аpple.example"]),
        ("xn--zzzzzz--.example", "name", ["not a real IDN"]),
        ("wpad", "name", ["internal name"]),
        ("_ldap._tcp.dc01.corp", "name", ["internal name"]),
        ("4.3.2.1.in-addr.arpa", "name", ["reverse lookup"]),
        ("8.8.8.8", "address", []),
        ("203.0.113.9", "address", []),
        ("2001:db8::1", "address", []),
        ("10.1.2.3", "address", ["internal address"]),
        ("fd00::1", "address", ["internal address"]),
        ("127.0.0.1", "address", ["this machine"]),
        ("169.254.1.1", "address", ["link local"]),
        ("224.0.0.251", "address", ["multicast"]),
        ("http://[::bad", "text", ["unreadable, kept as text"]),
    ],
)
def test_what_makes_a_reader_look_twice(value: str, kind: str, words: list[str]) -> None:
    assert words_of(value, kind) == words


def test_new_comes_first() -> None:
    assert words_of("10.1.2.3", "address", is_new=True) == ["new", "internal address"]


def test_a_value_decided_in_part_says_how_far() -> None:
    assert words_of("a.example", "name", decided=2, endpoints=5) == ["2 of 5 decided"]
    assert words_of("a.example", "name", decided=5, endpoints=5) == []
