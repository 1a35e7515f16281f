"""The rules of precedence.py as SQL, set-based, and the counts of values that follow from them.

Whoever settles holds the verdict lock; docs/merging.md has the order of all locks.
"""

# ruff: noqa: S608  # every part of a statement is a constant of this module; values are parameters

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from django.db import connection

from cases.arrays import array_of_numbers, array_of_texts
from cases.verdicts.in_force import IN_FORCE
from cases.verdicts.precedence import SCOPE_RANK, SCOPE_STEP, Scope
from cases.verdicts.subject import EXACT

# Any number no other advisory lock of this database uses.
_VERDICT_LOCK = 7_305_801_443_612
# A rank and a decision's id in one number: the greatest is the governing decision.
_ID_BITS = 40


@dataclass(slots=True)
class Settled:
    """What settling changed. `moves` counts endpoints by (verdict before, verdict after)."""

    endpoints: int = 0
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    # (case, value) of every endpoint that moved.
    values: set[tuple[int, str]] = field(default_factory=set)

    @property
    def cases(self) -> int:
        return len({case for case, _ in self.values})

    def in_words(self) -> dict[str, object]:
        """For the ledger."""
        return {
            "endpoints": {
                f"{before} to {after}": count for (before, after), count in sorted(self.moves.items())
            },
            "values": len(self.values),
            "cases": self.cases,
        }


def take_verdict_lock() -> None:
    """Held until the transaction ends. Always the first lock of a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_VERDICT_LOCK])


@dataclass(frozen=True, slots=True)
class Reach:
    """The endpoints one decision may govern: those of its subject that its scope reaches."""

    subject_kind: str
    subject: str
    case_id: int | None
    file_kind: str
    file_key: str


def lock_reached(reaches: Iterable[Reach]) -> list[int]:
    """Locks the endpoints in the common order, by case and key, and returns their ids."""
    selects: list[str] = []
    parameters: list[str | int] = []
    for reach in reaches:
        select, values = select_reached(reach)
        selects.append(select)
        parameters += values
    return _lock(f"e.id IN ({' UNION ALL '.join(selects)})", parameters) if selects else []


@dataclass(frozen=True, slots=True)
class Reached:
    """A statement that finds ids of endpoints, and its parameters."""

    select: str
    parameters: list[str | int]


def reach_exactly(
    subjects: Sequence[tuple[str, str]], *, case_id: int | None, file_kind: str = "", file_key: str = ""
) -> Reached:
    """The endpoints of any number of exact subjects (kind, text) in one scope."""
    scope, of_scope = _scope_condition(Reach("", "", case_id, file_kind, file_key))
    named = [subject for subject in subjects if subject[0] != "address"]
    addresses = [text for kind, text in subjects if kind == "address"]
    texts = [array_of_texts(text for _, text in named), array_of_texts(kind for kind, _ in named)]
    selects, parameters = [_EACH_BY_TEXT + scope], list[str | int]([*texts, *of_scope])
    if addresses:
        for each_by_address in _EACH_BY_ADDRESS:
            selects.append(each_by_address + scope)
            parameters += [array_of_texts(addresses), *of_scope]
    return Reached(" UNION ALL ".join(selects), parameters)


def lock_these(endpoint_ids: Sequence[int]) -> list[int]:
    return _lock("e.id = ANY(%s::bigint[])", [array_of_numbers(endpoint_ids)])


def lock_unsettled(case_id: int, at_most: int) -> list[int]:
    return _lock("e.case_id = %s AND NOT e.settled", [case_id], limit=f"LIMIT {at_most:d}")


def _lock(condition: str, parameters: Sequence[str | int], limit: str = "") -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT array_agg(id) FROM (
                    SELECT e.id FROM cases_endpoint e WHERE {condition}
                     ORDER BY e.case_id, e.key {limit} FOR NO KEY UPDATE
                ) locked""",
            parameters,
        )
        return cursor.fetchone()[0] or []


# Every way in goes through one index each; an OR of two would read the whole table. Names below another
# are found among the values, which are fewer: between `moc.osotnoc.` and `moc.osotnoc/`, read backwards.
_BY_ADDRESS = ("e.ip = %s::inet", "e.dns_ip = %s::inet")
_BY_NETWORK = ("e.ip <<= %s::inet", "e.dns_ip <<= %s::inet")
_EACH_BY_ADDRESS = (
    "SELECT e.id FROM unnest(%s::inet[]) asked(at) JOIN cases_endpoint e ON e.ip = asked.at WHERE true",
    "SELECT e.id FROM unnest(%s::inet[]) asked(at) JOIN cases_endpoint e ON e.dns_ip = asked.at WHERE true",
)
_EACH_BY_TEXT = """
    SELECT e.id FROM unnest(%s::text[], %s::text[]) AS asked(value, kind)
      JOIN cases_endpoint e ON e.value = asked.value AND e.value_kind = asked.kind WHERE true
"""
_BY_VALUE = ("e.value = %s AND e.value_kind = %s",)
_BELOW = """
    (e.value, e.case_id) IN (
        SELECT v.value, v.case_id FROM cases_casevalue v
         WHERE v.kind = 'name'
           AND reverse(v.value) >= reverse(%s) || '.' AND reverse(v.value) < reverse(%s) || '/')
    AND e.value_kind = 'name'
"""


def select_reached(reach: Reach) -> tuple[str, list[str | int]]:
    """The statement that finds the endpoints of a reach, and its parameters."""
    scope, of_scope = _scope_condition(reach)
    selects, parameters = [], list[str | int]()
    for condition, values in _subject_conditions(reach.subject_kind, reach.subject):
        selects.append(f"SELECT e.id FROM cases_endpoint e WHERE {condition}{scope}")
        parameters += [*values, *of_scope]
    return " UNION ALL ".join(selects), parameters


def _subject_conditions(kind: str, subject: str) -> list[tuple[str, list[str]]]:
    match kind:
        case "address":
            return [(condition, [subject]) for condition in _BY_ADDRESS]
        case "network":
            return [(condition, [subject]) for condition in _BY_NETWORK]
        case "below":
            return [(_BY_VALUE[0], [subject, "name"]), (_BELOW, [subject, subject])]
        case _:
            return [(_BY_VALUE[0], [subject, kind])]


def _scope_condition(reach: Reach) -> tuple[str, list[str | int]]:
    condition, values = "", list[str | int]()
    if reach.case_id is not None:
        condition += " AND e.case_id = %s"
        values.append(reach.case_id)
    if reach.file_key:
        condition += " AND e.file_id IN (SELECT f.id FROM cases_casefile f WHERE f.kind = %s AND f.key = %s)"
        values += [reach.file_kind, reach.file_key]
    return condition, values


def rank_of(decision: str) -> str:
    """Ruling.rank of a row of decisions by that name."""
    return f"""
        (CASE {decision}.scope WHEN 'case' THEN {SCOPE_RANK[Scope.CASE]}
                               WHEN 'file' THEN {SCOPE_RANK[Scope.FILE]}
                               ELSE {SCOPE_RANK[Scope.EVERYWHERE]} END::bigint * {SCOPE_STEP}
         + CASE {decision}.subject_kind WHEN 'below' THEN length({decision}.subject)
                                        WHEN 'network' THEN masklen({decision}.network) ELSE {EXACT} END)
    """


# Rank, decision and verdict in one number: the greatest is the governing decision, and nothing is joined
# to find out what it says.
_PACKED = f"({rank_of('d')} << {_ID_BITS} | d.id) << 1 | (d.verdict = 'blocked')::int"
_IN_FORCE = f"{IN_FORCE} AND d.id IS DISTINCT FROM %(without)s"
# Named, because the planner looks at each column of each look-up.
_READ = ", ".join(
    f"d.{column}"
    for column in (
        *("id", "verdict", "subject_kind", "subject", "network"),
        *("scope", "case_id", "file_kind", "file_key"),
    )
)
_REACHES = """
    (d.scope = 'everywhere' OR d.case_id = p.case_id
     OR (d.scope = 'file' AND d.file_kind = p.file_kind AND d.file_key = p.file_key))
"""


def _decisions(of: str) -> str:
    return f"(SELECT {_READ} FROM cases_decision d WHERE {of} AND {_IN_FORCE} OFFSET 0) d"


def _decision_of(packed: str) -> str:
    return f"({packed} >> 1) & ((1::bigint << {_ID_BITS}) - 1)"


def _verdict_of(packed: str) -> str:
    return f"CASE {packed} & 1 WHEN 1 THEN 'blocked' WHEN 0 THEN 'allowed' ELSE 'undecided' END"


# A name side exists where there is a name; `value` is its canonical text, whatever its kind. A name asks
# for itself and every suffix of itself, an address for itself and the networks of each prefix in use:
# equal keys, each looked up. OFFSET 0 keeps the planner from reading all decisions of a kind instead, which
# it takes for few while a bulk makes them by the thousand; so does the kind beside a network, in no form that
# an index has. The findings are laid under each other and grouped, because a join of groupings whose sizes
# nobody knows ends in nested loops. The decision `without` is left out, to foresee what its end would change.
JUDGED = f"""
    WITH picked AS MATERIALIZED (
        SELECT e.id, e.case_id, f.kind AS file_kind, f.key AS file_key, e.ip, e.dns_ip, e.dns <> '' AS named,
               e.file_id, e.value, e.value_kind, e.verdict AS verdict_before
          FROM unnest(%(ids)s::bigint[]) AS asked(id)
          JOIN cases_endpoint e ON e.id = asked.id
          JOIN cases_casefile f ON f.id = e.file_id
    ), prefixes AS MATERIALIZED (
        SELECT DISTINCT family(d.network) AS family, masklen(d.network) AS length
          FROM cases_decision d WHERE d.state = 'in force' AND d.subject_kind = 'network'
    ), address AS (
        SELECT p.*, 'name' AS side, p.dns_ip AS at FROM picked p WHERE p.dns_ip IS NOT NULL
        UNION ALL
        SELECT p.*, 'address', p.ip FROM picked p WHERE p.ip IS NOT NULL
    ), found AS (
        SELECT p.id, 'name' AS side, {_PACKED} AS packed
          FROM picked p CROSS JOIN LATERAL {
    _decisions("d.subject = p.value AND d.subject_kind = p.value_kind")
}
         WHERE p.named AND p.value_kind IN ('name', 'text') AND {_REACHES}
        UNION ALL
        SELECT p.id, 'name', {_PACKED}
          FROM picked p
          CROSS JOIN LATERAL string_to_array(p.value, '.') AS split(labels)
          CROSS JOIN LATERAL unnest(ARRAY(SELECT array_to_string(labels[n:], '.') COLLATE "C"
                                            FROM generate_subscripts(labels, 1) n)) AS suffix
          CROSS JOIN LATERAL {_decisions("d.subject = suffix AND d.subject_kind = 'below'")}
         WHERE p.named AND p.value_kind = 'name' AND {_REACHES}
        UNION ALL
        SELECT p.id, p.side, {_PACKED}
          FROM address p CROSS JOIN LATERAL {
    _decisions("d.network = p.at AND d.subject_kind || '' = 'address'")
}
         WHERE {_REACHES}
        UNION ALL
        SELECT p.id, p.side, {_PACKED}
          FROM address p
          JOIN prefixes ON prefixes.family = family(p.at)
          CROSS JOIN LATERAL {
    _decisions("d.network = set_masklen(p.at::cidr, prefixes.length) AND d.subject_kind || '' = 'network'")
}
         WHERE {_REACHES}
    ), governing AS (
        SELECT id, max(packed) FILTER (WHERE side = 'name') AS of_name,
               max(packed) FILTER (WHERE side = 'address') AS of_address,
               max(case_id) AS case_id, max(value COLLATE "C") AS value, bool_or(named) AS named,
               max(verdict_before) AS verdict_before, max(file_id) AS file_id
          FROM (
            SELECT id, side, packed, NULL::bigint AS case_id, NULL AS value, NULL::boolean AS named,
                   NULL AS verdict_before, NULL::bigint AS file_id FROM found
            UNION ALL
            SELECT id, NULL, NULL, case_id, value, named, verdict_before, file_id FROM picked
          ) laid
         GROUP BY id
    ), sides AS (
        SELECT g.*, {_verdict_of("g.of_name")} AS name_verdict, {_decision_of("g.of_name")} AS name_decision,
               {_verdict_of("g.of_address")} AS address_verdict,
               {_decision_of("g.of_address")} AS address_decision
          FROM governing g
    ), judged AS (
        SELECT s.*, CASE WHEN 'blocked' IN (s.name_verdict, s.address_verdict) THEN 'blocked'
                         WHEN s.named THEN s.name_verdict ELSE s.address_verdict END AS verdict
          FROM sides s
    )
"""
_SETTLE = f"""
    {JUDGED}, changed AS (
        UPDATE cases_endpoint e
           SET settled = true, name_verdict = j.name_verdict, name_decision_id = j.name_decision,
               address_verdict = j.address_verdict, address_decision_id = j.address_decision,
               verdict = j.verdict
          FROM judged j
         WHERE e.id = j.id
           AND (e.settled, e.name_verdict, e.name_decision_id,
                e.address_verdict, e.address_decision_id, e.verdict)
               IS DISTINCT FROM
               (true, j.name_verdict, j.name_decision, j.address_verdict, j.address_decision, j.verdict)
        RETURNING e.case_id, e.value, j.verdict_before, e.verdict
    )
    SELECT case_id, value, verdict_before, verdict, count(*) FROM changed WHERE verdict_before <> verdict
     GROUP BY case_id, value, verdict_before, verdict
"""


def settle(endpoint_ids: Collection[int]) -> Settled:
    """Judges the endpoints anew and brings their values up to date. The caller has locked them in order."""
    settled = Settled(endpoints=len(endpoint_ids))
    if not endpoint_ids:
        return settled
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, {"ids": array_of_numbers(endpoint_ids), "without": None})
        for case_id, value, before, after, count in cursor.fetchall():
            settled.moves[before, after] += count
            settled.values.add((case_id, value))
    refresh_verdicts(settled.values)
    return settled


# A value is undecided while any endpoint is, else blocked if any is, else allowed.
VERDICT_OF_COUNTS = """
    CASE WHEN {undecided} > 0 THEN 'undecided' WHEN {blocked} > 0 THEN 'blocked' ELSE 'allowed' END
"""

_LOCK_VALUES = """
    SELECT v.id FROM unnest(%(cases)s::bigint[], %(values)s::text[]) AS asked(case_id, value)
      JOIN cases_casevalue v ON v.case_id = asked.case_id AND v.value = asked.value
     ORDER BY v.case_id, v.value FOR NO KEY UPDATE OF v
"""

_REFRESH_VERDICTS = f"""
    UPDATE cases_casevalue v
       SET undecided = c.undecided, allowed = c.allowed, blocked = c.blocked, verdict = c.verdict,
           is_open = c.verdict = 'undecided', version = v.version + 1
      FROM (
        SELECT counted.*, {VERDICT_OF_COUNTS.format(undecided="undecided", blocked="blocked")} AS verdict
          FROM (
            SELECT e.case_id, e.value, count(*) FILTER (WHERE e.verdict = 'undecided') AS undecided,
                   count(*) FILTER (WHERE e.verdict = 'allowed') AS allowed,
                   count(*) FILTER (WHERE e.verdict = 'blocked') AS blocked
              FROM unnest(%(cases)s::bigint[], %(values)s::text[]) AS asked(case_id, value)
              JOIN cases_endpoint e ON e.case_id = asked.case_id AND e.value = asked.value
             GROUP BY e.case_id, e.value
          ) counted
      ) c
     WHERE v.case_id = c.case_id AND v.value = c.value
       AND (v.undecided, v.allowed, v.blocked, v.verdict)
           IS DISTINCT FROM (c.undecided, c.allowed, c.blocked, c.verdict)
"""


def refresh_verdicts(values: Collection[tuple[int, str]]) -> None:
    """Counts the endpoints of the values by verdict.

    Two statements on purpose: the count must see what the lock may have waited for, and under
    READ COMMITTED only a later statement does.
    """
    if not values:
        return
    asked = {
        "cases": array_of_numbers(case for case, _ in values),
        "values": array_of_texts(value for _, value in values),
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_VALUES, asked)
        cursor.execute(_REFRESH_VERDICTS, asked)
