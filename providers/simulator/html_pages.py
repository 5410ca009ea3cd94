"""What a browser would see of a page: its forms with their controls, its links and the errors it lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

Pairs = list[tuple[str, str]]
_TYPED_OUT = frozenset({"submit", "button", "image", "reset"})


@dataclass(slots=True)
class Control:
    """One field of a form. `kind` is the input type, or select, textarea, button."""

    name: str
    kind: str
    value: str = ""
    checked: bool = False
    required: bool = False
    options: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Form:
    """One form. `action` is absolute; `act` is its data-act, telling which act of the joint process it is."""

    action: str
    method: str
    act: str
    controls: list[Control] = field(default_factory=list)

    def named(self, name: str) -> list[Control]:
        """All controls of that name."""
        return [control for control in self.controls if control.name == name]

    def defaults(self) -> Pairs:
        """What a browser would send if nothing were touched, the first named button included."""
        pairs, pressed = [], False
        for control in self.controls:
            if control.kind in ("submit", "button") and control.name and not pressed:
                pairs.append((control.name, control.value))
                pressed = True
            elif control.kind in ("checkbox", "radio"):
                pairs += [(control.name, control.value)] if control.checked else []
            elif control.name and control.kind not in _TYPED_OUT | {"file"}:
                pairs.append((control.name, control.value))
        return pairs

    @property
    def identity(self) -> str:
        """Tells this form from the others on the page: its address and what its hidden fields name (not the token)."""
        hidden = sorted(f"{c.name}={c.value}" for c in self.controls if c.kind == "hidden" and "csrf" not in c.name)
        return "|".join([self.act, self.action, *hidden])


@dataclass(frozen=True, slots=True)
class Link:
    """An address on the page. `act` is its data-act."""

    href: str
    act: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a server, read as a page."""

    url: str
    status: int
    text: str
    forms: tuple[Form, ...]
    links: tuple[Link, ...]
    errors: tuple[tuple[str, str], ...]

    def forms_for(self, *acts: str) -> list[Form]:
        """The forms with one of these data-act values, in page order."""
        return [form for form in self.forms if form.act in acts]


class _Reader(HTMLParser):
    """Collects forms, links and the entries of error summaries while reading."""

    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.url = url
        self.forms: list[Form] = []
        self.links: list[Link] = []
        self.errors: list[tuple[str, str]] = []
        self._form: Form | None = None
        self._open: Control | None = None  # a textarea, select or button being read
        self._link: tuple[str, str] | None = None
        self._text: list[str] = []
        self._summary_depth = 0  # open tags inside an error summary

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._summary_depth or "error-summary" in given.get("class", ""):
            self._summary_depth += tag not in _VOID
        if tag == "form":
            action = urljoin(self.url, given.get("action") or self.url)
            self._form = Form(action, given.get("method", "get").lower(), given.get("data-act", ""))
            self.forms.append(self._form)
        elif tag == "a" and "href" in given:
            self._link, self._text = (given["href"], given.get("data-act", "")), []
        elif self._form is not None:
            self._read_control(self._form, tag, given)

    def _read_control(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, required = given.get("name", ""), "required" in given
        if tag == "option" and self._open is not None:
            self._open.options.append(given.get("value", ""))
            if "selected" in given or len(self._open.options) == 1:
                self._open.value = given.get("value", "")
        elif tag == "input" and "disabled" not in given:
            kind = given.get("type", "text").lower()
            value = given.get("value", "on" if kind in ("checkbox", "radio") else "")
            form.controls.append(Control(name, kind, value, "checked" in given, required))
        elif tag in ("select", "textarea", "button") and "disabled" not in given:
            kind = given.get("type", "submit") if tag == "button" else tag
            self._open = Control(name, kind, given.get("value", ""), required=required)
            form.controls.append(self._open)
            self._text = []

    def handle_endtag(self, tag: str) -> None:
        if self._summary_depth and tag not in _VOID:
            self._summary_depth -= 1
        if tag == "form":
            self._form = None
        elif tag in ("select", "textarea", "button"):
            if tag == "textarea" and self._open is not None:
                self._open.value = "".join(self._text).removeprefix("\n")
            self._open = None
        elif tag == "a" and self._link is not None:
            self._end_link(*self._link)

    def _end_link(self, href: str, act: str) -> None:
        text = " ".join("".join(self._text).split())
        if self._summary_depth and href.startswith("#"):
            self.errors.append((href[1:], text))
        self.links.append(Link(urljoin(self.url, href), act, text))
        self._link = None

    def handle_data(self, data: str) -> None:
        self._text.append(data)


_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)


def read_page(url: str, status: int, text: str) -> Page:
    """Read one HTML answer. Anything that is not HTML gives a page without forms."""
    reader = _Reader(url)
    reader.feed(text)
    reader.close()
    return Page(url, status, text, tuple(reader.forms), tuple(reader.links), tuple(reader.errors))
