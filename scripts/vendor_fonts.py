"""Fetch the fonts that documents are set in and put them, with their licence, into `static/fonts/`.

Run by hand when the pinned version changes: `python scripts/vendor_fonts.py`. It needs npm (`npm pack` only; no
package code runs) and refuses a file whose hash is not the one written here.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "@expo-google-fonts/noto-sans-sc@0.4.3"
TARGET = Path(__file__).resolve().parents[1] / "static" / "fonts"
# Path in the package → (name here, sha256).
FILES = {
    "package/400Regular/NotoSansSC_400Regular.ttf": (
        "NotoSansSC-Regular.ttf",
        "d45f67f0a7c0ca3f256950777ce6a61cc7ce5f9696d02900cbbaac25f8aa7d16",
    ),
    "package/700Bold/NotoSansSC_700Bold.ttf": (
        "NotoSansSC-Bold.ttf",
        "9a38ae0ab28cd5a256f9ea8e00dedc688aac17f7915fcb000572990afa956b96",
    ),
    "package/LICENSE_FONT": ("OFL.txt", "1c05c68c34f9708415aada51f17e1b0092d2cea709bf4a94cd38114f9e73d7d9"),
}


def main() -> int:
    """Fetch, check, write; answers the process exit code."""
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            ["npm", "pack", PACKAGE, "--silent"], cwd=folder, check=True, capture_output=True, text=True
        )
        with tarfile.open(Path(folder) / packed.stdout.split()[-1]) as archive:
            found = {path: _read(archive, path) for path in FILES}
    wrong = [path for path, content in found.items() if hashlib.sha256(content).hexdigest() != FILES[path][1]]
    if wrong:
        sys.stderr.write(f"not the pinned bytes: {', '.join(wrong)}\n")
        return 1
    TARGET.mkdir(parents=True, exist_ok=True)
    for path, content in found.items():
        (TARGET / FILES[path][0]).write_bytes(content)
    return 0


def _read(archive: tarfile.TarFile, path: str) -> bytes:
    member = archive.extractfile(path)
    if member is None:
        raise FileNotFoundError(path)
    return member.read()


if __name__ == "__main__":
    sys.exit(main())
