"""Realistic values for every kind: a short paper, and one as long as the city can make it."""

from __future__ import annotations

from tests.documents.papers_of_money import joint_bill, joint_reply, payment_receipt, supply_contract
from tests.documents.papers_of_stages import (
    acceptance_notice,
    acceptance_opinion,
    completion_notice,
    review_opinion,
    survey_record,
    works_plan,
)
from tests.documents.papers_parties import Values

MAKERS = {
    maker.__name__: maker
    for maker in (
        acceptance_notice,
        survey_record,
        joint_reply,
        review_opinion,
        works_plan,
        acceptance_opinion,
        supply_contract,
        joint_bill,
        payment_receipt,
        completion_notice,
    )
}


def short_values(kind: str) -> Values:
    """Two providers, short texts."""
    return MAKERS[kind](2)


def long_values(kind: str) -> Values:
    """Eight providers, long names and texts, forty quote lines."""
    return MAKERS[kind](8)
