"""Standard normal and Laplace numbers for observations and conditional estimates, which spend much of their time on drawing them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from numeric_check.problem.laws import GAUSSIAN, LAPLACE, InputLaw

Array = NDArray[np.float64]
# pairs drawn at once, which stay in the cache of a core
BLOCK = 16_384
STEPS = 2.0**-32
# fewer numbers than these are drawn sooner by NumPy itself
FEW = 2048


def normals(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Independent standard normal numbers of a shape, by Box and Muller's transformation in single precision.

    A pair is the radius sqrt(-2 log u) in the direction of the angle 2 pi v, for u and v of 32 uniform bits each: functions
    that NumPy computes many at a time, twice as fast as its own normal numbers, which are of double precision. No number
    is larger than 6.8; the moments differ from the exact ones by less than any mean over 10^12 draws could tell.
    """
    count = math.prod(shape)
    if count < FEW:
        return generator.standard_normal(shape)
    found = np.empty(count + count % 2)
    for start in range(0, len(found), 2 * BLOCK):
        pairs = min(BLOCK, (len(found) - start) // 2)
        bits = generator.bit_generator.random_raw(pairs).view(np.uint32)
        radius, angle = bits[:pairs].astype(np.float32), bits[pairs:].astype(np.float32)
        radius += np.float32(0.5)
        radius *= np.float32(STEPS)
        np.log(radius, out=radius)
        radius *= np.float32(-2)
        np.sqrt(radius, out=radius)
        angle *= np.float32(2 * math.pi * STEPS)
        first, second = found[start : start + pairs], found[start + pairs : start + 2 * pairs]
        np.multiply(radius, np.cos(angle), out=first)
        np.multiply(radius, np.sin(angle), out=second)
    return found[:count].reshape(shape)


def laplace_numbers(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Independent numbers of Laplace's law with variance 1, of a shape, in single precision as `normals`.

    Each is +-log(u) / sqrt(2) of 32 uniform bits, one for the sign: three times as fast as NumPy's exponential numbers with
    random signs. No number is larger than 15.8, beyond which one in 10^9 lies.
    """
    count = math.prod(shape)
    found = np.empty(count + count % 2)
    for start in range(0, len(found), 2 * BLOCK):
        numbers = min(2 * BLOCK, len(found) - start)
        bits = generator.bit_generator.random_raw(numbers // 2).view(np.int32).astype(np.float32)
        size = np.abs(bits)
        size += np.float32(0.5)
        size *= np.float32(2 * STEPS)
        np.log(size, out=size)
        size *= np.float32(math.sqrt(0.5))
        np.copysign(size, bits, out=found[start : start + numbers])
    return found[:count].reshape(shape)


def entries(generator: np.random.Generator, law: InputLaw, shape: tuple[int, ...]) -> Array:
    """Independent entries of a law, of a shape: as `law.draw`, in single precision where that is quicker.

    The plain protocol draws by `law.draw`, so that its runs are the same on every machine.
    """
    quicker = (draw for slow, draw in QUICKER if law.draw is slow)
    return next(quicker, law.draw)(generator, shape)


# not by the name, which an added law may have too
QUICKER = ((GAUSSIAN.draw, normals), (LAPLACE.draw, laplace_numbers))
