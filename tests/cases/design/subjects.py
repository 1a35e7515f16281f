"""The name that most of these tests decide on, and its address."""

from __future__ import annotations

NAME, ADDRESS = "login.contoso.com", "40.1.2.3"
