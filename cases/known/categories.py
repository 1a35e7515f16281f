"""What kind of thing each list of the package is; the lists themselves do not say."""

from __future__ import annotations

_GOOD = {
    *("apple", "bank-website", "captive-portals", "covid", "covid-19-cyber-threat-coalition-whitelist"),
    *("covid-19-krassi-whitelist", "crl-hostname", "crl-ip", "dax30", "google", "google-gmail-sending-ips"),
    *(
        "googlebot",
        "microsoft",
        "microsoft-attack-simulator",
        "microsoft-office365",
        "microsoft-office365-cn",
    ),
    *("microsoft-office365-ip", "microsoft-win10-connection-endpoints", "openai-gptbot"),
    *("security-provider-blogpost", "umbrella-blockpage-hostname", "umbrella-blockpage-v4"),
    *("umbrella-blockpage-v6", "university_domains", "wikimedia"),
}
_SHARED = {
    *("akamai", "amazon-aws", "cloudflare", "digitalside", "dynamic-dns", "fastly", "github", "google-gcp"),
    *("link-in-bio", "lots-project", "microsoft-azure", "microsoft-azure-china", "microsoft-azure-germany"),
    *("microsoft-azure-us-gov", "ovh-cluster", "public-dns-hostname", "public-dns-v4", "public-dns-v6"),
    *("public-ipfs-gateways", "smtp-receiving-ips", "smtp-sending-ips", "stackpath", "url-shortener"),
    *("vpn-ipv4", "vpn-ipv6", "zscaler"),
}
_BAD = {"sinkholes"}
_RESERVED = {"ipv6-linklocal", "multicast", "rfc1918", "rfc3849", "rfc5735", "rfc6598", "rfc6761"}
_POPULAR = {
    *("alexa", "cisco_top1000", "cisco_top5k", "cisco_top10k", "cisco_top20k", "google-chrome-crux-1million"),
    *("majestic_million", "moz-top500", "tranco", "tranco10k"),
}
_SCANNER = {"check-host-net", "shadowserver", "tenable-cloud-ipv4", "tenable-cloud-ipv6"}
_CATEGORIES = {
    "good": _GOOD,
    "shared": _SHARED,
    "bad": _BAD,
    "reserved": _RESERVED,
    "popular": _POPULAR,
    "scanner": _SCANNER,
}
_SCANNER_ENDINGS = ("-scanning", "-scanner", "-nt-scanning")


def category_of(slug: str) -> str:
    """`other` for a list that a newer package brings and nobody has sorted yet."""
    if slug.endswith(_SCANNER_ENDINGS):
        return "scanner"
    return next((category for category, slugs in _CATEGORIES.items() if slug in slugs), "other")
