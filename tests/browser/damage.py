"""Chunks of which bytes were changed on their way to a page. Kernels are given the source of this."""

import random

DAMAGES = (
    "a bit of the length flipped",
    "a bit of the header flipped",
    "a bit of the numbers flipped",
    "a bit of the batch flipped",
    "a byte of the header another",
    "cut in the header",
    "cut in the numbers",
    "bytes inserted in the header",
    "bytes inserted in the numbers",
    "bytes dropped from the header",
    "bytes dropped from the numbers",
    "zeros over the header",
    "noise over the header",
    "twice",
    "nothing",
)


def damaged(chunk: bytes, how: str, seed: int) -> bytes:
    """A chunk, damaged in one of the ways of `DAMAGES`."""
    chance, found = random.Random(f"{how} {seed}"), bytearray(chunk)
    numbers = 4 + int.from_bytes(chunk[:4], "little")  # where they begin
    places = {
        "length": (0, 4),
        "header": (4, numbers),
        "batch": (numbers, numbers + 4),
        "numbers": (numbers, len(chunk)),
    }
    first, stop = next((place for part, place in places.items() if how.endswith(part) or f"{part} " in how), (0, 1))
    at, size = chance.randrange(first, stop), chance.randint(1, 9)
    if how.startswith("a bit"):
        found[at] ^= 1 << chance.randrange(8)
    elif how.startswith("a byte"):
        found[at] = (found[at] + chance.randint(1, 255)) % 256
    elif how.startswith("cut"):
        del found[at:]
    elif "inserted" in how:
        found[at:at] = chance.randbytes(size)
    elif "dropped" in how:
        del found[at : at + size]
    elif "over the header" in how:
        found[4:numbers] = bytes(numbers - 4) if how.startswith("zeros") else chance.randbytes(numbers - 4)
    else:
        found = found * 2 if how == "twice" else bytearray()
    return bytes(found)
