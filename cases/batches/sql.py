"""Pieces that the statements of a batch share."""

# ruff: noqa: S608  # constants of this module

from __future__ import annotations

from cases.verdicts.in_force import IN_FORCE

# Of decisions `d`, for a value `v` of a case. Exact texts never collide across kinds.
EXACTLY_ON = "d.subject = v.value AND d.subject_kind IN ('name', 'address', 'text')"
COVERS = """
    (d.scope = 'everywhere' OR d.case_id = v.case_id
     OR (d.scope = 'file' AND EXISTS (SELECT 1 FROM cases_casefile f
                                       WHERE f.case_id = v.case_id AND f.kind = d.file_kind
                                         AND f.key = d.file_key)))
"""
# What is in force on exactly this value. What covers it with others is told by cases.batches.leaving.
BASIS = (
    f"ARRAY(SELECT d.id FROM cases_decision d WHERE {EXACTLY_ON} AND {IN_FORCE} AND {COVERS} ORDER BY d.id)"
)
