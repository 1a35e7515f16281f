"""Why an endpoint has its verdict, in the words of the rules it was settled by."""

from __future__ import annotations

from collections.abc import Sequence

from cases.models import Decision, Endpoint
from cases.verdicts.precedence import Asker, Judgement, Ruling, Scope, Verdict, explain, judge
from cases.verdicts.subject import Subject


def judgements_of(endpoints: Sequence[Endpoint]) -> dict[int, Judgement]:
    """By endpoint id. One query, however many endpoints; give them with `file` selected."""
    addresses = {str(at) for each in endpoints for at in (each.ip, each.dns_ip) if at is not None}
    names = {each.value for each in endpoints} - addresses
    found = Decision.objects.in_force().matching(sorted(names), sorted(addresses))
    rulings = [ruling_of(decision) for decision in found]
    return {endpoint.pk: _judge(endpoint, rulings) for endpoint in endpoints}


def explain_endpoint(endpoint: Endpoint) -> str:
    return explain(judgements_of([endpoint])[endpoint.pk])


def ruling_of(decision: Decision) -> Ruling:
    """A decision as the pure rules see it."""
    return Ruling(
        id=decision.pk,
        verdict=Verdict(decision.verdict),
        subject=decision.as_subject,
        scope=Scope(decision.scope),
        case=decision.case_id,
        file=(decision.file_kind, decision.file_key) if decision.file_key else None,
    )


def _judge(endpoint: Endpoint, rulings: Sequence[Ruling]) -> Judgement:
    return judge(
        ip=_address_of(endpoint),
        name=Subject.of_value(endpoint.value, endpoint.value_kind) if endpoint.dns else None,
        asker=Asker(endpoint.case_id, (endpoint.file.kind, endpoint.file.key)),
        rulings=rulings,
    )


def _address_of(endpoint: Endpoint) -> str | None:
    return str(endpoint.ip) if endpoint.ip is not None else None
