"""The statements of a merge, written out once from the names and caps of the sets."""

# ruff: noqa: S608  # every part of a statement is a constant; values are parameters

from __future__ import annotations

from cases.folding import CAPS
from cases.verdicts.settle import VERDICT_OF_COUNTS

_SETS = tuple(CAPS)
_PLAIN_COLUMNS = (
    "key",
    "file_id",
    "ip",
    "dns",
    "dns_ip",
    "value",
    "value_kind",
    "first_seen",
    "last_seen",
    "more",
)
ENDPOINT_COLUMNS = (*_PLAIN_COLUMNS, *_SETS)
SIGHTING_COLUMNS = (
    *("key", "day", "events", "active_hours", "devices", "first_seen", "last_seen", "connected"),
)
STRIP_DAYS = 30


def _type_of(name: str) -> str:
    return "integer[]" if name == "ports" else "text[]"


def _collation_of(name: str) -> str:
    """Text in the order of code points, as Python sorts it."""
    return "" if name == "ports" else ' COLLATE "C"'


# Asked for through a sub-select, a case counts as an average one. As a plain number, a case that is younger
# than the tables' statistics counts as empty, and joins with it become nested loops over all its rows.
_CASE = "(SELECT %(case)s::bigint)"

STAGE = f"""
    CREATE TEMPORARY TABLE staged_endpoint (
        key uuid, file_id bigint, ip inet, dns text, dns_ip inet, value text COLLATE "C", value_kind text,
        first_seen timestamptz, last_seen timestamptz, more text[],
        {", ".join(f"{name} {_type_of(name)}" for name in _SETS)}
    ) ON COMMIT DROP;
    CREATE TEMPORARY TABLE staged_sighting (
        key uuid, day date, events bigint, active_hours smallint, devices integer,
        first_seen timestamptz, last_seen timestamptz, connected boolean
    ) ON COMMIT DROP;
    CREATE TEMPORARY TABLE touched_value (
        value text COLLATE "C", kind text
    ) ON COMMIT DROP
"""
# Also dropped at once: a transaction may merge more than one answer.
DROP_STAGED = "DROP TABLE staged_endpoint, staged_sighting, touched_value"


# An existing endpoint is `e`, the arriving one `excluded`.


def _union(name: str, limit: int) -> str:
    return (
        f"ARRAY(SELECT DISTINCT u{_collation_of(name)} FROM unnest(e.{name} || excluded.{name}) u"
        f" ORDER BY 1 LIMIT {limit})"
    )


def _is_known(name: str) -> str:
    return f"e.{name} @> excluded.{name}"


def _merged_set(name: str) -> str:
    return f"{name} = CASE WHEN {_is_known(name)} THEN e.{name} ELSE {_union(name, CAPS[name])} END"


def _is_cut(name: str) -> str:
    over = f"NOT {_is_known(name)} AND cardinality({_union(name, CAPS[name] + 1)}) > {CAPS[name]}"
    return f"CASE WHEN {over} THEN ARRAY['{name}'] ELSE '{{}}' END"


def _set_changes(name: str) -> str:
    """A set that was cut before changes only when a new value sorts among the kept ones."""
    changes = f"(NOT e.more @> ARRAY['{name}'] OR {_union(name, CAPS[name])} <> e.{name})"
    return f"(NOT {_is_known(name)} AND {changes})"


_MORE = f"""
    more = ARRAY(SELECT DISTINCT m COLLATE "C"
                   FROM unnest(e.more || excluded.more || {" || ".join(map(_is_cut, _SETS))}) m ORDER BY 1)
"""

UPSERT_ENDPOINTS = f"""
    WITH written AS (
        INSERT INTO cases_endpoint AS e (
            case_id, {", ".join(ENDPOINT_COLUMNS)}, settled, name_verdict, address_verdict, verdict
        )
        SELECT %(case)s, {", ".join(ENDPOINT_COLUMNS)}, false, 'undecided', 'undecided', 'undecided'
          FROM staged_endpoint ORDER BY key
        ON CONFLICT (case_id, key) DO UPDATE
           SET first_seen = least(e.first_seen, excluded.first_seen),
               last_seen = greatest(e.last_seen, excluded.last_seen),
               {", ".join(map(_merged_set, _SETS))}, {_MORE}
         WHERE excluded.first_seen < e.first_seen OR excluded.last_seen > e.last_seen
            OR NOT e.more @> excluded.more OR {" OR ".join(map(_set_changes, _SETS))}
        RETURNING value, value_kind, xmax = 0 AS is_new
    ), touched AS (
        INSERT INTO touched_value SELECT value, value_kind FROM written
    )
    SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written
"""

UPSERT_SIGHTINGS = f"""
    WITH written AS (
        INSERT INTO cases_sighting AS s (
            endpoint_id, source, day, events, active_hours, devices, first_seen, last_seen, connected
        )
        SELECT e.id, %(source)s, n.day, n.events, n.active_hours, n.devices, n.first_seen, n.last_seen,
               n.connected
          FROM staged_sighting n JOIN cases_endpoint e ON e.case_id = {_CASE} AND e.key = n.key
         ORDER BY n.key, n.day
        ON CONFLICT (endpoint_id, source, day) DO UPDATE
           SET events = greatest(s.events, excluded.events),
               active_hours = greatest(s.active_hours, excluded.active_hours),
               devices = greatest(s.devices, excluded.devices),
               first_seen = least(s.first_seen, excluded.first_seen),
               last_seen = greatest(s.last_seen, excluded.last_seen),
               connected = s.connected OR excluded.connected
         WHERE excluded.events > s.events OR excluded.active_hours > s.active_hours
            OR excluded.devices > s.devices OR excluded.first_seen < s.first_seen
            OR excluded.last_seen > s.last_seen
            OR (s.connected OR excluded.connected) IS DISTINCT FROM s.connected
        RETURNING endpoint_id
    )
    INSERT INTO touched_value
    SELECT e.value, e.value_kind FROM cases_endpoint e
     WHERE e.id IN (SELECT endpoint_id FROM written)
"""

# The registered domain of a name is read in Python, and only when the name is new.
UNKNOWN_VALUES = """
    SELECT DISTINCT t.value, t.kind FROM touched_value t
     WHERE NOT EXISTS (SELECT 1 FROM cases_casevalue v WHERE v.case_id = %(case)s AND v.value = t.value)
"""

LOCK_VALUES = f"""
    SELECT v.id FROM cases_casevalue v
     WHERE v.case_id = {_CASE} AND v.value IN (SELECT value FROM touched_value)
     ORDER BY v.case_id, v.value FOR NO KEY UPDATE OF v
"""

# The numbers of a value come from four groupings that are laid under each other, not joined: a join
# of groupings whose sizes the planner must guess ends in nested loops.

_NUMBERS = {
    "endpoints": "bigint",
    "files": "bigint",
    "file_ids": "bigint[]",
    "addresses": "bigint",
    "undecided": "bigint",
    "allowed": "bigint",
    "blocked": "bigint",
    "first_seen": "timestamptz",
    "last_seen": "timestamptz",
    "devices_more": "integer",
    "ports_more": "integer",
    "named_devices": "bigint",
    "all_ports": "integer[]",
    "days": "bigint",
    "events": "bigint",
    "most_devices": "integer",
    "strip": "bigint[]",
    "strip_to": "date",
}


def _numbers(source: str, group_by: str = "value", **expressions: str) -> str:
    """One grouping: what it does not say is NULL, which `max` passes over."""
    columns = (f"{expressions.get(name, 'NULL')}::{kind} AS {name}" for name, kind in _NUMBERS.items())
    return f"SELECT value, {', '.join(columns)} FROM {source} GROUP BY {group_by}"


_STRIP = ", ".join(
    f"coalesce(sum(events) FILTER (WHERE ago = {ago}), 0)" for ago in reversed(range(STRIP_DAYS))
)
_OF_ENDPOINTS = _numbers(
    "endpoint",
    endpoints="count(*)",
    files="count(DISTINCT file_id)",
    file_ids="array_agg(DISTINCT file_id)",
    addresses="count(DISTINCT ip)",
    undecided="count(*) FILTER (WHERE verdict = 'undecided')",
    allowed="count(*) FILTER (WHERE verdict = 'allowed')",
    blocked="count(*) FILTER (WHERE verdict = 'blocked')",
    first_seen="min(first_seen)",
    last_seen="max(last_seen)",
    devices_more="bool_or(more @> '{devices}')",
    ports_more="bool_or(more @> '{ports}')",
)
_OF_DEVICES = _numbers("endpoint, unnest(devices) device", named_devices='count(DISTINCT device COLLATE "C")')
_OF_PORTS = _numbers("endpoint, unnest(ports) port", all_ports="array_agg(DISTINCT port)")
_OF_DAYS = _numbers(
    "(SELECT seen.*, last_day - day AS ago FROM seen) aged",
    group_by="value, last_day",
    days="count(*)",
    events="sum(events)",
    most_devices="max(devices)",
    strip=f"ARRAY[{_STRIP}]",
    strip_to="last_day",
)
_VALUE_COLUMNS = (
    *(
        "endpoints",
        "files",
        "file_ids",
        "addresses",
        "undecided",
        "allowed",
        "blocked",
        "verdict",
        "devices",
        "devices_more",
    ),
    *("ports", "ports_more", "events", "days", "first_seen", "last_seen", "strip", "strip_to"),
)

# The numbers as they are now of the values that a table expression `asked` names.
_FRESH = f"""
    endpoint AS MATERIALIZED (
        SELECT e.id, e.value, e.file_id, e.ip, e.verdict, e.first_seen, e.last_seen,
               e.devices, e.ports, e.more
          FROM asked JOIN cases_endpoint e ON e.value = asked.value AND e.case_id = {_CASE}
    ), seen AS (
        SELECT e.value, s.day, sum(s.events) AS events, max(s.devices) AS devices,
               max(max(s.day)) OVER (PARTITION BY e.value) AS last_day
          FROM endpoint e JOIN cases_sighting s ON s.endpoint_id = e.id GROUP BY e.value, s.day
    ), known AS (
        SELECT value, {", ".join(f"max({name}) AS {name}" for name in _NUMBERS)}
          FROM ({_OF_ENDPOINTS} UNION ALL {_OF_DEVICES} UNION ALL {_OF_PORTS} UNION ALL {_OF_DAYS}) groupings
         GROUP BY value
    ), fresh AS (
        SELECT value, endpoints, files, file_ids, addresses, undecided, allowed, blocked, days, events,
               first_seen, last_seen, strip, strip_to, devices_more = 1 AS devices_more,
               CASE WHEN devices_more = 1 THEN greatest(coalesce(named_devices, 0), most_devices)
                    ELSE coalesce(named_devices, 0) END AS devices,
               coalesce(all_ports[1:{CAPS["ports"]}], '{{}}') AS ports,
               ports_more = 1 OR coalesce(cardinality(all_ports), 0) > {CAPS["ports"]} AS ports_more,
               {VERDICT_OF_COUNTS.format(undecided="undecided", blocked="blocked")} AS verdict
          FROM known
    )
"""

# Written once, numbers and all. What another merge made meanwhile stays among the touched: its numbers are
# counted again under the lock.
MAKE_VALUES = f"""
    WITH unknown AS (
        SELECT * FROM unnest(%(values)s::text[], %(kinds)s::text[], %(domains)s::text[])
                      AS unknown(value, kind, domain)
    ), asked AS (
        SELECT value FROM unknown
    ), {_FRESH}, made AS (
        INSERT INTO cases_casevalue (
            case_id, kind, domain, is_open, added_at, version, value, {", ".join(_VALUE_COLUMNS)}
        )
        SELECT %(case)s, u.kind, u.domain, f.verdict = 'undecided', now(), 0,
               value, {", ".join(f"f.{name}" for name in _VALUE_COLUMNS)}
          FROM fresh f JOIN unknown u USING (value)
         ORDER BY value COLLATE "C"
        ON CONFLICT (case_id, value) DO NOTHING
        RETURNING value
    ), done AS (
        DELETE FROM touched_value t USING made WHERE t.value = made.value
    )
    SELECT count(*) FROM made
"""

REFRESH_VALUES = f"""
    WITH asked AS (
        SELECT DISTINCT value FROM touched_value
    ), {_FRESH}
    UPDATE cases_casevalue v
       SET {", ".join(f"{name} = f.{name}" for name in _VALUE_COLUMNS)},
           is_open = f.verdict = 'undecided', version = v.version + 1
      FROM fresh f
     WHERE v.case_id = {_CASE} AND v.value = f.value
       AND ({", ".join(f"v.{name}" for name in _VALUE_COLUMNS)})
           IS DISTINCT FROM ({", ".join(f"f.{name}" for name in _VALUE_COLUMNS)})
"""
