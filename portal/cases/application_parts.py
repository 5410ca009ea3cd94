"""Who applies, for what and where: the parts of an application that all utilities share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from portal.cases.application_types import Amount, Count, Day, Email, Items, Maybe, Mobile, Moment, Part

ApplicantKind = Literal["enterprise", "sole_trader", "institution", "person"]
IdType = Literal["resident_id", "passport", "hk_mo_tw", "foreign_permanent"]
MaterialKind = Literal[
    "business_licence",
    "id_card",
    "property_right",
    "lease",
    "owner_consent",
    "planning_permit",
    "construction_permit",
    "red_line_map",
    "site_plan",
    "load_calculation",
    "hydraulic_calculation",
    "heating_drawings",
    "authorisation_letter",
    "equipment_list",
    "settlement_proof",
]


class Person(Part):
    """A natural person; `id_type` defaults to the resident identity card."""

    name: str
    id_no: Maybe[str] = None
    mobile: Maybe[Mobile] = None
    email: Maybe[Email] = None
    id_type: Maybe[IdType] = None


class Invoice(Part):
    """What stands on the invoices."""

    title: str
    tax_no: str
    bank: Maybe[str] = None
    bank_account: Maybe[str] = None
    address: Maybe[str] = None
    phone: Maybe[str] = None


class Applicant(Part):
    """Whoever wants the supply: an organisation with a USCC, or a person with an identity number."""

    kind: ApplicantKind
    name: Annotated[str, Field(min_length=2, max_length=100)]
    uscc: Maybe[str] = None
    id_no: Maybe[str] = None
    legal_representative: Maybe[Person] = None
    contact: Person
    agent: Maybe[Person] = None
    invoice: Maybe[Invoice] = None
    id_type: Maybe[IdType] = None
    enterprise_scale: Maybe[Literal["micro", "small", "medium", "large"]] = None


class Project(Part):
    """What is built: areas in m², investment in 10 000 yuan (wan)."""

    code: Maybe[Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{6}-[0-9]{2}-[0-9]{2}-[0-9]{6}$")]] = None
    name: Annotated[str, Field(min_length=2, max_length=200)]
    industry: Maybe[str] = None
    investment_wan: Maybe[Amount] = None
    land_area_m2: Maybe[Amount] = None
    floor_area_above_m2: Maybe[Amount] = None
    floor_area_below_m2: Maybe[Amount] = None
    households: Maybe[Count] = None
    planned_start_on: Maybe[Day] = None
    planned_finish_on: Maybe[Day] = None
    park: Maybe[str] = None
    parcel_no: Maybe[Annotated[str, Field(max_length=40)]] = None


class Point(Part):
    """Longitude and latitude in degrees, CGCS2000."""

    lon: Annotated[float, Field(ge=73, le=136)]
    lat: Annotated[float, Field(ge=3, le=54)]


class Boundary(Part):
    """The red line as a GeoJSON Polygon; members GeoJSON allows beside these are kept."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    type: Literal["Polygon"]
    coordinates: Items[Any]


class Site(Part):
    """Where the supply is wanted."""

    division: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
    street: Maybe[Annotated[str, StringConstraints(pattern=r"^[0-9]{9}$")]] = None
    address: Annotated[str, Field(min_length=4, max_length=200)]
    location: Point
    boundary: Maybe[Boundary] = None
    property_unit_no: Maybe[Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{28}$")]] = None
    outside_line_estimate_m: Maybe[Amount] = None
    contact: Maybe[Person] = None


class Material(Part):
    """One paper: uploaded (`file` is the id of stored bytes, or a name whose bytes are owed), reused or promised."""

    kind: MaterialKind
    source: Literal["upload", "licence_store", "promised"]
    file: Maybe[str] = None
    licence_no: Maybe[str] = None


class Consents(Part):
    """Free choices, none ticked beforehand."""

    reuse_licences: Items[str] = ()
    promise_terms: bool = False


class PreviousHolder(Part):
    """原户主 of a transfer."""

    kind: ApplicantKind
    name: str
    uscc: Maybe[str] = None
    id_no: Maybe[str] = None
    contact: Maybe[Person] = None


class RefundAccount(Part):
    """Where a deposit goes back to."""

    name: str
    bank: str
    account_no: str


class SurveyWish(Part):
    """A time at which somebody can open the door."""

    start_at: Moment
    end_at: Moment
