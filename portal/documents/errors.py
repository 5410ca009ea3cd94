"""What can go wrong when a document is made."""

from __future__ import annotations

from collections.abc import Iterable


class DocumentError(Exception):
    """A document could not be made. `is_final`: trying again with the same values cannot help."""

    is_final = False


class ForbiddenFetch(DocumentError):
    """A template or a value tried to load something that is not `data:`."""

    is_final = True


class MissingGlyph(DocumentError):
    """Characters the bundled fonts cannot draw; a paper never shows a silent box instead of a name."""

    is_final = True

    def __init__(self, characters: Iterable[str]) -> None:
        self.characters = tuple(sorted(set(characters)))
        named = "、".join(f"{_shown(character)}（U+{ord(character):04X}）" for character in self.characters[:20])
        super().__init__(f"字库里没有这些字符，无法出具文书：{named}")


def _shown(character: str) -> str:
    return character if character.isprintable() else "不可见字符"
