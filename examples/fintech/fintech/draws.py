"""Random bits by name instead of by sequence: the hash that every value of the synthetic payments comes from.

The surprising rule: only integer arithmetic is used, so every machine and every release of NumPy draws the same bits.
The hash is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]

_LIMIT = 1 << 64


class Purpose(IntEnum):
    """What bits are drawn for: each purpose has its own, so that one choice says nothing of another."""

    SALE = 0
    REFUND = 1
    CHARGEBACK = 2
    FATE = 3
    BASKET = 4
    AMOUNT = 5


def mixed(words: Words) -> Words:
    """64 well stirred bits for each word."""
    words = words ^ (words >> np.uint64(30))
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(27)
    words *= np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    return words


def hashed(seed: int, purpose: Purpose, day: Numbers, number: Numbers) -> Words:
    """64 bits for each (day, number), of a seed and a purpose."""
    key = (seed * 0x9E3779B97F4A7C15 + int(purpose) * 0xD1342543DE82EF95) % _LIMIT
    words = day.astype(np.uint64)
    words *= np.uint64(0xA0761D6478BD642F)
    words += number.astype(np.uint64) * np.uint64(0xE7037ED1A0B428DB)
    words += np.uint64(key)
    return mixed(words)


def bits(words: Words, low: int, width: int) -> Numbers:
    """`width` bits of each word, from bit `low`."""
    return ((words >> np.uint64(low)) & np.uint64((1 << width) - 1)).view(np.int64)


def scaled(words: Words, low: int, width: int, below: int) -> Numbers:
    """A number in [0, below) for each word, from `width` of its bits; `width` + bits of `below` is 63 at most."""
    return (bits(words, low, width) * below) >> width
