from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from footprint.embedded.home import EmbeddedError


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
        """Makes the folder and what is in it this identity's own; only root can and has to."""
        if os.geteuid() != 0:
            return
        uid, gid = (self._nobody.pw_uid, self._nobody.pw_gid) if self._nobody else (0, 0)
        if folder.stat().st_uid != uid:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, uid, gid, follow_symlinks=False)

    def let_through(self, run_dir: Path) -> None:
        """The run directory is its owner's; nobody gets to its own folder in it and sees nothing else."""
        if self._nobody is not None:
            run_dir.chmod(0o711)

    def require_reach(self, *paths: Path) -> None:
        """EmbeddedError when this identity cannot get at one of them."""
        for path in paths if self._nobody else ():
            if not _succeeds(["test", "-x", str(path)], **self.arguments):
                raise EmbeddedError(
                    f"PostgreSQL runs as nobody here, who may not enter {path}; "
                    "put Footprint and its data where everybody may enter, or start as an ordinary user."
                )


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _succeeds(command: Sequence[str], **arguments: Any) -> bool:
    return subprocess.run(command, capture_output=True, check=False, cwd="/", **arguments).returncode == 0
