from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Identity:
    """PostgreSQL runs neither as root nor as an account without a name; this says as whom it runs instead.

    It is started in a user namespace of its own, where it is nobody and its files stay the caller's.
    Where root may make no namespaces, as in many containers, it really is nobody and owns its files.
    """

    def __init__(self) -> None:
        self.prefix: list[str] = []
        self.arguments: dict[str, Any] = {}
        self._nobody: pwd.struct_passwd | None = None
        if os.geteuid() != 0 and _has_name(os.geteuid()):
            return
        nobody = pwd.getpwnam("nobody")
        namespace = ["unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}", "--"]
        if shutil.which("unshare") and _succeeds([*namespace, "true"]):
            self.prefix = namespace
        elif os.geteuid() == 0:
            self._nobody = nobody
            self.arguments = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def give(self, folder: Path) -> None:
        """Makes the folder this identity's own, and lets it through the run directory."""
        if self._nobody is None:
            return
        os.chown(folder, self._nobody.pw_uid, self._nobody.pw_gid)
        if folder.parent.name.startswith("footprint-"):
            folder.parent.chmod(0o711)

    def reach(self, folder: Path) -> str | None:
        """Why this identity cannot get at `folder`, as a sentence; None when it can."""
        if self._nobody is None or _succeeds(["test", "-x", str(folder)], **self.arguments):
            return None
        return (
            f"PostgreSQL runs as nobody here, who may not enter {folder.parent}; "
            "set FOOTPRINT_DATA to a folder that everybody may enter, or start as an ordinary user."
        )


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _succeeds(command: Sequence[str], **arguments: Any) -> bool:
    return subprocess.run(command, capture_output=True, check=False, cwd="/", **arguments).returncode == 0
