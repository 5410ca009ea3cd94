"""A provider's own dialect as data: which form fields a task becomes, what its status codes mean. Pure."""

from portal.exchange.mapping.incoming import Status, read_status, report_of
from portal.exchange.mapping.model import FieldRule, Mapping, StatusRule, Unmapped, load_mapping
from portal.exchange.mapping.outgoing import Rendered, render

__all__ = [
    "FieldRule",
    "Mapping",
    "Rendered",
    "Status",
    "StatusRule",
    "Unmapped",
    "load_mapping",
    "read_status",
    "render",
    "report_of",
]
