"""Where a redirect may lead: to a page of this site and nowhere else."""

from __future__ import annotations

from urllib.parse import urlsplit


def local_path(address: str | None) -> str | None:
    """The address if it stays on this site; None for one that would leave it, or for none at all."""
    if not address or "\\" in address or address.startswith("//"):
        return None
    parts = urlsplit(address)
    return address if not parts.scheme and not parts.netloc and parts.path.startswith("/") else None
