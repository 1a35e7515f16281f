"""Which variables of the environment may be sent to an address that somebody typed, as a token."""

from __future__ import annotations

import re

from footprint.azure.credentials import Way, parse_reference
from footprint.azure.errors import BadSetting
from footprint.configuration import PREFIX, Configuration, variable_of

# What is named so is no token, and stays here.
_NO_TOKEN = re.compile(r"SECRET|PASSWORD|PASSPHRASE|_KEY(_FILE)?$", re.IGNORECASE)


def check_credential(credential: str) -> None:
    """Raises BadSetting for what names no way to sign in, or would give away a secret of this site."""
    reference = parse_reference(credential)
    if reference.way is Way.TOKEN and (_is_setting(reference.name) or _NO_TOKEN.search(reference.name)):
        raise BadSetting("credential", "That variable holds a secret of another kind, which is sent nowhere.")


def _is_setting(name: str) -> bool:
    ours = {variable_of(field) for field in Configuration.model_fields}
    return name.upper().startswith(PREFIX) or name.upper().removesuffix("_FILE") in ours
