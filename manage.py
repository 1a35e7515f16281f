#!/usr/bin/env python
"""Every command of Footprint. On one machine it finds its servers, or starts them for its own time."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from django.core.management import execute_from_command_line

from footprint import embedded
from footprint.configuration import BadConfiguration, read_configuration

NEED_NO_SERVERS = {"help", "version", "makemigrations", "collectstatic", "css", "findstatic", "diffsettings"}


def needs_servers(arguments: list[str]) -> bool:
    if not arguments or arguments[0] in NEED_NO_SERVERS or {"-h", "--help", "--version"} & set(arguments):
        return False
    # `up` keeps the servers itself, so that it can tell about them and start them again.
    if arguments[0] == "up":
        return False
    return arguments[0] != "check" or "--database" in arguments


def end(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "footprint.settings")
    try:
        configuration = read_configuration()
    except BadConfiguration as error:
        sys.exit(f"{error}")
    if not needs_servers(sys.argv[1:]):
        execute_from_command_line(sys.argv)
        return
    signal.signal(signal.SIGTERM, end)
    home = embedded.Home(configuration.data_dir)
    with embedded.Hold(
        home, postgres=configuration.database_url is None, valkey=configuration.redis_url is None
    ):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    try:
        main()
    except embedded.EmbeddedError as error:
        sys.exit(f"{error}")
