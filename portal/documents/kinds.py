"""The kinds of documents: for each the title, the model its values must satisfy, and its template.

`KINDS` is the one list; a new kind is a row here, a model and a template.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from portal.documents.values.contract import SupplyContract
from portal.documents.values.head import Head
from portal.documents.values.intake import AcceptanceNotice, CompletionNotice
from portal.documents.values.money import JointBill, PaymentReceipt
from portal.documents.values.reply import JointReply
from portal.documents.values.stages import AcceptanceOpinion, ReviewOpinion, WorksPlan
from portal.documents.values.survey import SurveyRecord

# Raised whenever a template or the stylesheet changes what a paper says or where; kept with each document.
TEMPLATE_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its code, the title on the paper, the model of its values. The template is `<code>.html`."""

    code: str
    title: str
    model: type[Head]

    @property
    def template(self) -> str:
        """The template's file name inside `templates/documents`."""
        return f"{self.code}.html"

    def title_for(self, values: Head) -> str:
        """The title on this very paper: a contract has its own, a later reply says that it is a supplement."""
        if isinstance(values, SupplyContract):
            return values.title
        if isinstance(values, JointReply) and values.part > 1:
            return f"{self.title}（第 {values.part - 1} 号补充）"
        return self.title


KINDS: Mapping[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind("acceptance_notice", "受理通知书", AcceptanceNotice),
        Kind("survey_record", "联合踏勘记录", SurveyRecord),
        Kind("joint_reply", "联合答复书", JointReply),
        Kind("review_opinion", "联合审图意见", ReviewOpinion),
        Kind("works_plan", "联合施工计划", WorksPlan),
        Kind("acceptance_opinion", "联合验收意见", AcceptanceOpinion),
        Kind("supply_contract", "供用合同", SupplyContract),
        Kind("joint_bill", "联合账单", JointBill),
        Kind("payment_receipt", "缴费凭证", PaymentReceipt),
        Kind("completion_notice", "办结通知书", CompletionNotice),
    )
}
