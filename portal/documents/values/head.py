"""What all documents share: the head of the paper, and the plain types their parts are made of."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Short = Annotated[str, Field(max_length=400)]
Text = Annotated[str, Field(max_length=20_000)]
Fen = Annotated[int, Field(strict=True)]
Metres = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Days = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Quantity = Annotated[str, Field(max_length=32, pattern=r"^-?\d+(\.\d+)?$")]


class Values(BaseModel):
    """Base of every value on a paper: frozen, and an unknown field is an error of the caller."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Head(Values):
    """The common head. `issuer` is the office or provider that issues the paper and whose seal it bears.

    `issued_on` is a business date in Asia/Shanghai. `case_no` is missing only on papers older than the case.
    """

    number: Short
    issuer: Short
    issued_on: dt.date
    applicant: Short
    project_name: Short
    project_code: Short | None = None
    address: Short
    application_no: Short | None = None
    case_no: Short | None = None
    hotline: Short = "12345"


class Party(Values):
    """A provider as it is named on a paper: its utility (水、电、气、暖、网 …) and its full name."""

    utility_name: Short
    provider_name: Short
