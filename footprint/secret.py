from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path


def kept_secret(data_dir: Path) -> str:
    """The key of this machine, made at first use and readable by its owner only."""
    return kept_text(data_dir / "secret-key", lambda: secrets.token_urlsafe(64))


def kept_text(path: Path, make: Callable[[], str]) -> str:
    """What the file holds; made at first use and readable by its owner only."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        try:
            # Two processes may get here at the same time; the first one's text stays.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
