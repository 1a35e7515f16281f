"""The registered domain of a name, and what is a public suffix, by the list that is installed."""

from __future__ import annotations

from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList

from cases.observed import read_address


@lru_cache(maxsize=50_000)
def registered_domain(name: str) -> str:
    """`contoso.co.uk` for `login.contoso.co.uk`; empty for single labels, suffixes, `.arpa`, addresses."""
    if "." not in name or name.endswith(".arpa") or read_address(name):
        return ""
    return _suffixes().privatesuffix(name) or ""


def is_public_suffix(name: str) -> bool:
    """Whether strangers register names below it: `com`, `co.uk`, `github.io`, also an unknown top level."""
    return "." not in name or name.endswith(".arpa") or not _suffixes().privatesuffix(name)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=True)
