"""The decisions of the other verdict that a wide decision of a narrower scope would override."""

# ruff: noqa: S608  # every part of a statement is a constant of this module

from __future__ import annotations

from cases.verdicts.in_force import IN_FORCE
from cases.verdicts.settle import rank_of

_WOULD_LOSE = f"""
    {IN_FORCE} AND d.verdict <> w.verdict AND {rank_of("d")} < w.rank
    AND (d.scope = 'everywhere' OR EXISTS (
         SELECT FROM cases_casefile f
          WHERE f.case_id = w.case_id AND f.kind = d.file_kind AND f.key = d.file_key))
"""
_COLUMNS = "w.n, d.id, d.version, d.subject_kind, d.subject, d.scope"
# Of rows `would_be w` (n, verdict, kind, subject, network, scope, case_id, rank): (n, id, version,
# subject_kind, subject, scope). What lies inside the subject is more specific. Read backwards, what is below
# a name lies between `moc.osotnoc.` and `moc.osotnoc/`; no pattern, in which `_` would stand for any letter.
OVERRIDDEN = f"""
    SELECT {_COLUMNS} FROM would_be w
      JOIN cases_decision d ON d.subject_kind = 'name' AND d.subject = w.subject COLLATE "C"
     WHERE w.kind = 'below' AND w.scope <> 'everywhere' AND {_WOULD_LOSE}
    UNION ALL
    SELECT {_COLUMNS} FROM would_be w
      JOIN cases_decision d ON d.subject_kind IN ('name', 'below')
       AND reverse(d.subject) >= (reverse(w.subject) || '.') COLLATE "C"
       AND reverse(d.subject) < (reverse(w.subject) || '/') COLLATE "C"
     WHERE w.kind = 'below' AND w.scope <> 'everywhere' AND {_WOULD_LOSE}
    UNION ALL
    SELECT {_COLUMNS} FROM would_be w
      JOIN cases_decision d ON d.network >= w.network AND d.network <<= w.network
       AND d.network <= set_masklen(broadcast(w.network),
                                    CASE family(w.network) WHEN 4 THEN 32 ELSE 128 END)::cidr
     WHERE w.kind = 'network' AND w.scope <> 'everywhere' AND d.network <> w.network AND {_WOULD_LOSE}
"""
