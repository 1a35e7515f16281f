"""Writes a Windows event log, as small as one may be: one chunk, each event as binary XML without a template.

The layout is that of Windows: a file header of 4096 bytes, then chunks of 65,536 bytes; a name lies where
it is first used, and values are texts of 16-bit characters.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, SubElement

_FILE_HEADER, _CHUNK, _CHUNK_HEADER = 4096, 65_536, 512
_TO_1601 = 11_644_473_600
_FRAGMENT, _OPEN, _CLOSE_START, _CLOSE_EMPTY, _END, _VALUE, _ATTRIBUTE = (
    0x0F,
    0x01,
    0x02,
    0x03,
    0x04,
    0x05,
    0x06,
)
_TEXT = 0x01


def sysmon_event(event_id: int, record: int = 1, **data: str) -> Element:
    event = Element("Event")
    system = SubElement(event, "System")
    SubElement(system, "Provider", {"Name": "Microsoft-Windows-Sysmon"})
    for name, text in (
        ("EventID", event_id),
        ("EventRecordID", record),
        ("Channel", "Microsoft-Windows-Sysmon/Operational"),
        ("Computer", "LIS-W-0001"),
    ):
        SubElement(system, name).text = str(text)
    fields = SubElement(event, "EventData")
    for name, text in data.items():
        SubElement(fields, "Data", {"Name": name}).text = text
    return event


def event_log(events: Sequence[Element]) -> bytes:
    body = bytearray()
    offset = last = _CHUNK_HEADER
    for number, event in enumerate(events, start=1):
        last = offset
        record = _record(number, event, offset)
        body += record
        offset += len(record)
    return _file_header(len(events)) + _chunk(len(events), bytes(body), last, offset)


def _record(number: int, event: Element, offset: int) -> bytes:
    time = int((datetime(2026, 11, 2, tzinfo=UTC).timestamp() + _TO_1601) * 10_000_000)
    xml = bytes([_FRAGMENT, 1, 1, 0]) + _element(event, offset + 24 + 4) + b"\0"
    size = 24 + len(xml) + 4
    return struct.pack("<4sIQQ", b"\x2a\x2a\0\0", size, number, time) + xml + struct.pack("<I", size)


def _element(element: Element, offset: int) -> bytes:
    """`offset` is where in the chunk it will lie."""
    head = 1 + 4 + 4
    name = _name(element.tag)
    body = name
    if element.attrib:
        attributes = b""
        start = offset + head + len(body) + 4
        for key, value in element.attrib.items():
            place = start + len(attributes)
            attributes += struct.pack("<BI", _ATTRIBUTE, place + 5) + _name(key) + _value(value)
        body += struct.pack("<I", len(attributes)) + attributes
    if element.text or len(element):
        body += bytes([_CLOSE_START])
        if element.text:
            body += _value(element.text)
        for child in element:
            body += _element(child, offset + head + len(body))
        body += bytes([_END])
    else:
        body += bytes([_CLOSE_EMPTY])
    token = _OPEN | (0x40 if element.attrib else 0)
    return struct.pack("<BII", token, 4 + len(body), offset + head) + body


def _name(text: str) -> bytes:
    """Next name in the hash chain, hash, length, characters and a zero."""
    value = 0
    for letter in text:
        value = (value * 65_599 + ord(letter)) & 0xFFFFFFFF
    return struct.pack("<IHH", 0, value & 0xFFFF, len(text)) + text.encode("utf-16-le") + b"\0\0"


def _value(text: str) -> bytes:
    return struct.pack("<BBH", _VALUE, _TEXT, len(text)) + text.encode("utf-16-le")


def _chunk(events: int, body: bytes, last: int, free: int) -> bytes:
    header = struct.pack(
        "<8sQQQQIIIII", b"ElfChnk\0", 1, events, 1, events, 128, last, free, zlib.crc32(body), 0
    )
    header = header.ljust(120, b"\0")
    tables = b"\0" * (_CHUNK_HEADER - 128)
    checksum = zlib.crc32(header + tables)
    return (header + struct.pack("<II", 1, checksum) + tables + body).ljust(_CHUNK, b"\0")


def _file_header(events: int) -> bytes:
    header = struct.pack("<8sQQQIHHHH", b"ElfFile\0", 0, 0, events + 1, 128, 1, 3, _FILE_HEADER, 1)
    header = header.ljust(120, b"\0")
    return (header + struct.pack("<II", 0, zlib.crc32(header))).ljust(_FILE_HEADER, b"\0")
