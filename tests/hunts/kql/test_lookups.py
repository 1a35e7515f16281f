from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hunts.kql.dialects import DEFENDER_XDR, LOG_ANALYTICS
from hunts.kql.files import AskedFile, FileKind
from hunts.kql.lookups import machines_by_hash_query, machines_query, talkers_query
from hunts.kql.quote import UnquotableText, quote
from hunts.kql.window import Window

WINDOW = Window.days(date(2026, 11, 1), date(2026, 11, 20))


def test_who_talks_to_an_address_is_bounded_in_time_and_rows() -> None:
    query = talkers_query(["203.0.113.7"], WINDOW, LOG_ANALYTICS, 200, is_address=True)
    assert query.text == (
        "DeviceNetworkEvents\n"
        "| where TimeGenerated >= datetime(2026-11-01T00:00:00.000000Z)"
        " and TimeGenerated < datetime(2026-11-21T00:00:00.000000Z)\n"
        '| where RemoteIP == "203.0.113.7"\n'
        "| summarize FirstSeen=min(TimeGenerated), LastSeen=max(TimeGenerated), Events=count()\n"
        "         by File=InitiatingProcessFileName, Device=DeviceName, Name=RemoteUrl, Address=RemoteIP\n"
        "| top 201 by Events desc"
    )


@given(st.text(min_size=1, max_size=40))
def test_a_subject_gets_into_the_text_by_quoting_alone(subject: str) -> None:
    try:
        quoted = quote(subject)
    except UnquotableText:
        with pytest.raises(UnquotableText):
            talkers_query([subject], WINDOW, LOG_ANALYTICS, 5, is_address=False)
        return
    text = talkers_query([subject], WINDOW, LOG_ANALYTICS, 5, is_address=False).text
    assert f"| where RemoteUrl contains {quoted}\n" in text


def test_a_file_is_asked_for_by_hash_in_all_tables() -> None:
    query = machines_by_hash_query("SHA1", "AB" * 20, WINDOW, DEFENDER_XDR, 10)
    assert query.text.startswith("union isfuzzy=true DeviceFileEvents, DeviceProcessEvents")
    assert f'| where SHA1 =~ "{"ab" * 20}" or InitiatingProcessSHA1 =~ "{"ab" * 20}"' in query.text
    assert "Timestamp >=" in query.text


def test_a_file_is_asked_for_by_name_in_network_events() -> None:
    query = machines_query(AskedFile(FileKind.NAME, "a.exe", "a.exe"), WINDOW, LOG_ANALYTICS, 10)
    assert '| where InitiatingProcessFileName in~ ("a.exe")' in query.text


def test_another_column_is_refused() -> None:
    with pytest.raises(ValueError, match="SHA1"):
        machines_by_hash_query("MD5", "a", WINDOW, LOG_ANALYTICS, 10)
