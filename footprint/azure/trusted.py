"""Hosts that credentials may be taken to: those of Microsoft's clouds, and what the operator adds.

Whoever may write an endpoint or an authority on a form could otherwise have a real token, or a client's
secret, sent to a machine of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

from footprint.azure.errors import BadSetting

# A dot at the beginning stands for every name below.
AUTHORITIES = (
    *("login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"),
    *("login.chinacloudapi.cn", "login.windows.net", "sts.windows.net"),
)
SERVICES = (
    *("management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn"),
    *("graph.microsoft.com", ".graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us"),
    *("microsoftgraph.chinacloudapi.cn", ".security.microsoft.com", ".security.microsoft.us"),
    *(".securitycenter.microsoft.com", ".securitycenter.microsoft.us", ".securitycenter.windows.com"),
    *("api.loganalytics.io", ".api.loganalytics.io", "api.loganalytics.us", ".api.loganalytics.us"),
    *(".loganalytics.azure.com", ".loganalytics.azure.us", ".loganalytics.azure.cn"),
    *(".monitor.azure.com", ".monitor.azure.us", ".monitor.azure.cn", "ade.loganalytics.io"),
    *(".kusto.windows.net", ".kusto.usgovcloudapi.net", ".kusto.chinacloudapi.cn"),
    *(".kusto.fabric.microsoft.com", ".kusto.data.microsoft.com", ".kusto.azuresynapse.net"),
)


def check_host(field: str, host: str, more: Sequence[str]) -> None:
    """Raises BadSetting. `more` are the operator's, written alike."""
    known = AUTHORITIES if field == "authority" else SERVICES
    name = host.lower().rstrip(".")
    if not any(_covers(each, name) for each in (*known, *more)):
        raise BadSetting(
            field,
            f"{host} is not known as a host of Microsoft, so no credentials are taken there. Whoever runs"
            " this site can add it to FOOTPRINT_TRUSTED_HOSTS.",
        )


def _covers(known: str, name: str) -> bool:
    return name.endswith(known) if known.startswith(".") else name == known
