"""Draws text that would not be seen: white space, control characters, lone marks; twin of ``words/visible_text.ts``."""

from __future__ import annotations

import unicodedata

_PICTURES = {" ": "␣", "\n": "↵", "\t": "⇥", "\u00a0": "⍽", "\u007f": "␡"}


def visible(label: str) -> str:
    """Return a label with every character visible."""
    if not label:
        return "∅"
    text = "".join(map(picture, label))
    return f"◌{text}" if unicodedata.category(text[0]).startswith("M") else text


def visible_line(text: str) -> str:
    """Return a line of text with every character visible, and spaces as they are: nothing in it moves a cursor."""
    return "".join(character if character == " " else picture(character) for character in text)


def picture(character: str) -> str:
    """Return what to draw for a character: a picture if it has no ink, else itself."""
    if character in _PICTURES:
        return _PICTURES[character]
    if character < " ":
        return chr(0x2400 + ord(character))
    if unicodedata.category(character)[0] in "ZC":
        return f"U+{ord(character):04X}"
    return character
