"""Ways to damage a message: cut, lengthened, turned bits, wrong lengths, nesting, chance."""

from collections.abc import Callable
from random import Random

Damage = Callable[[Random, bytes], bytes]
OVERSIZED_BYTES = 200_000


def cut(chance: Random, data: bytes) -> bytes:
    """Its end is missing."""
    return data[: chance.randrange(len(data))]


def lengthened(chance: Random, data: bytes) -> bytes:
    """Something follows it."""
    return data + chance.randbytes(chance.randrange(1, 600))


def oversized(chance: Random, data: bytes) -> bytes:
    """Far more than anybody sends."""
    at = chance.randrange(len(data))
    return data[:at] + chance.randbytes(1) * chance.randrange(4_000, OVERSIZED_BYTES) + data[at:]


def bits_turned(chance: Random, data: bytes) -> bytes:
    """One to eight bits are others."""
    changed = bytearray(data)
    for _ in range(chance.randrange(1, 9)):
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def wrong_lengths(chance: Random, data: bytes) -> bytes:
    """Bytes that may be lengths are extremes."""
    changed = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        changed[chance.randrange(len(data))] = chance.choice((0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF))
    return bytes(changed)


def nested(chance: Random, data: bytes) -> bytes:
    """Parts of it stand within it, again and again."""
    start = chance.randrange(len(data))
    part = data[start : start + chance.randrange(1, 64)]
    at = chance.randrange(len(data))
    return data[:at] + part * chance.randrange(2, 400) + data[at:]


def mixed(chance: Random, data: bytes) -> bytes:
    """Some of its bytes stand elsewhere."""
    first, second = sorted((chance.randrange(len(data)), chance.randrange(len(data))))
    return data[:first] + data[second:] + data[first:second]


def of_chance(chance: Random, data: bytes) -> bytes:
    """Nothing of it is left."""
    return chance.randbytes(chance.randrange(1, 2 * len(data)))


WAYS: tuple[Damage, ...] = (
    *(cut, lengthened, bits_turned, bits_turned, bits_turned, wrong_lengths, wrong_lengths),
    *(nested, mixed, of_chance, oversized),
)


def damaged(chance: Random, data: bytes) -> bytes:
    """A message damaged in one way, or a few."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        data = chance.choice(WAYS)(chance, data) or b"\0"
    return data
