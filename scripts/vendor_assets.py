"""`python scripts/vendor_assets.py`: carry the browser assets into static/vendor/, pinned, with their licences.

Node's npm is needed for this script only, never to run or test the portal. The GDS Transport font faces are taken out:
their licence allows them on gov.uk alone. Crown and crest images are not carried at all.
"""

from __future__ import annotations

import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static" / "vendor"
# package → version, (file in the package, place under static/vendor or tests)
PACKAGES = {
    "govuk-frontend": (
        "6.3.0",
        {
            "dist/govuk/govuk-frontend.min.css": "static/vendor/govuk/govuk-frontend.min.css",
            "dist/govuk/govuk-frontend.min.js": "static/vendor/govuk/govuk-frontend.min.js",
        },
    ),
    "axe-core": ("4.14.1", {"axe.min.js": "tests/browser/vendor/axe.min.js"}),
}
_CREST = re.compile(r"url\(/assets/images/govuk-crest\.svg\)")
_FONT_FACE = re.compile(r"@font-face\{[^}]*\}")


def fetch(package: str, version: str, into: Path) -> Path:
    """Download and unpack one package; answers its folder."""
    done = subprocess.run(
        ["npm", "pack", f"{package}@{version}", "--silent"], cwd=into, check=True, capture_output=True, text=True
    )
    with tarfile.open(into / done.stdout.strip()) as archive:
        archive.extractall(into / package, filter="data")
    return into / package / "package"


def without_fonts(css: str) -> str:
    """The style sheet without its font faces and without GDS Transport in its font stacks."""
    return _CREST.sub("none", _FONT_FACE.sub("", css).replace('"GDS Transport",', "").replace("GDS Transport,", ""))


def main() -> None:
    """Carry every file and note the versions."""
    lines = ["What lies here, from the npm registry, unchanged but for font faces taken out:", ""]
    with tempfile.TemporaryDirectory() as folder:
        for package, (version, files) in PACKAGES.items():
            source = fetch(package, version, Path(folder))
            for name, place in files.items():
                target = ROOT / place
                target.parent.mkdir(parents=True, exist_ok=True)
                text = (source / name).read_text(encoding="utf-8")
                text = re.sub(r"\n?(//|/\*)# sourceMappingURL=.*", "", text)
                target.write_text(without_fonts(text) if name.endswith(".css") else text, encoding="utf-8")
            # govuk-frontend ships no licence file; its package.json says MIT, and the text is kept in THIRD_PARTY.md.
            for licence in source.glob("LICENSE"):
                (VENDOR / f"{package}.LICENCE.txt").write_text(licence.read_text(encoding="utf-8"), encoding="utf-8")
            lines.append(f"- {package} {version}")
    (VENDOR / "VERSIONS.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
