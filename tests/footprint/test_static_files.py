from __future__ import annotations

import json
import os
import subprocess
import sys
from urllib.request import ProxyHandler, build_opener

import pytest

from footprint import stylesheet
from footprint.configuration import CHECKOUT
from footprint.stylesheet import StylesheetError, compile_stylesheet

SERVER = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1",
    "SECRET_KEY": "correct-horse-battery-staple-0123456789-abcdefghijklmnop",
    "FOOTPRINT_HOSTS": "footprint.example.com",
}
# Collects into the folder that is given, with the settings of a server.
COLLECT = """
import sys
import django
from django.conf import settings
from django.core.management import call_command
django.setup()
settings.STATIC_ROOT = sys.argv[1]
call_command("collectstatic", interactive=False, verbosity=0)
"""


def test_the_style_sheet_compiles_to_the_classes_that_templates_use():
    text = compile_stylesheet().read_text()
    assert ".btn" in text
    assert "@source" not in text
    assert "@import" not in text


def test_compiling_leaves_no_draft_behind():
    compiled = compile_stylesheet()
    assert [path.name for path in compiled.parent.iterdir()] == [compiled.name]


def test_a_style_sheet_that_does_not_compile_says_why(monkeypatch, tmp_path):
    broken = tmp_path / "app.css"
    broken.write_text("a { color: theme(nonsense) }")
    before = compile_stylesheet().read_bytes()
    monkeypatch.setattr(stylesheet, "SOURCE", broken)
    with pytest.raises(StylesheetError, match="cannot be compiled"):
        compile_stylesheet()
    assert stylesheet.COMPILED.read_bytes() == before


def test_a_server_serves_files_under_names_that_change_with_them(stylesheet, tmp_path):
    made = subprocess.run(
        [sys.executable, "-c", COLLECT, str(tmp_path)],
        cwd=CHECKOUT,
        env=os.environ | SERVER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    paths = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    assert paths["app.css"].startswith("app.")
    assert (tmp_path / f"{paths['app.css']}.gz").exists()


def test_the_live_site_serves_the_style_sheet(live_site):
    with build_opener(ProxyHandler({})).open(f"{live_site.url}/static/app.css", timeout=10) as response:
        assert response.headers["Content-Type"].startswith("text/css")
        assert b".btn" in response.read()
