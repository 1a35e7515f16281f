from __future__ import annotations

import pytest


@pytest.fixture
def headers(client, db):
    return client.get("/sign-in").headers


def test_nothing_runs_or_loads_that_is_not_our_own(headers):
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Frame-Options", "DENY"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ],
)
def test_a_header_that_browsers_heed(headers, name, value):
    assert headers[name] == value


def test_a_page_stays_in_no_cache(headers):
    assert "no-store" in headers["Cache-Control"]


def test_cameras_and_the_like_are_off(headers):
    assert "camera=()" in headers["Permissions-Policy"]


def test_cookies_are_kept_from_scripts(client, db):
    client.get("/sign-in")
    assert client.cookies
    assert all(cookie["httponly"] and cookie["samesite"] == "Lax" for cookie in client.cookies.values())
