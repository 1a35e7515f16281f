from __future__ import annotations

import pytest

from cases.domains import registered_domain


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("login.contoso.co.uk", "contoso.co.uk"),
        ("contoso.com", "contoso.com"),
        ("a.b.xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("_ldap._tcp.dc.corp.local", "corp.local"),
        ("tenant.github.io", "tenant.github.io"),
        ("com", ""),
        ("co.uk", ""),
        ("lis-w-0114", ""),
        ("4.3.2.1.in-addr.arpa", ""),
        ("1.2.3.4", ""),
        ("fe80::1", ""),
        ("", ""),
    ],
)
def test_the_registered_domain_folds_names_up(name: str, domain: str):
    assert registered_domain(name) == domain
