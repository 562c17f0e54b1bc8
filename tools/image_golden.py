"""What the golden-data scripts for pictures share: numbers and hashes that the C++ tests compute in the same way.

Both are made of splitmix64 (Steele, Lea, Flood 2014), integers only; see tests/image/random.h.
"""
import pathlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden" / "image"
SHARED = ROOT.parent / "shared"
MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15


def mix(z):
    """splitmix64's output function, of one Python integer."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def mix_array(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


class Random:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + GAMMA) & MASK
        return mix(self.state)

    def between(self, low, high):
        """An integer from low to high, both included."""
        return low + self.next() % (high - low + 1)


def random_bytes(seed, count):
    words = np.arange(1, (count + 7) // 8 + 1, dtype=np.uint64) * np.uint64(GAMMA) + np.uint64(seed & MASK)
    return mix_array(words).astype("<u8").view(np.uint8)[:count]


def random_picture(seed, width, height, channels):
    """Noise in its left half, a ramp in its right half: noise finds rounding errors, ramps find shifts."""
    pixels = random_bytes(seed, width * height * channels).reshape(height, width, channels).copy()
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    ramp = ((x * 3 + y * 5 + c * 40) & 255).astype(np.uint8)
    pixels[:, width // 2 :] = ramp[:, width // 2 :]
    return pixels[:, :, 0] if channels == 1 else pixels


def hash_bytes(data):
    """A 64-bit hash of a bytes-like object: the sum of mixed little-endian words, and its length."""
    data = np.frombuffer(data, dtype=np.uint8)
    words = np.zeros((len(data) + 7) // 8 * 8, dtype=np.uint8)
    words[: len(data)] = data
    words = words.view("<u8")
    places = np.arange(1, len(words) + 1, dtype=np.uint64) * np.uint64(GAMMA)
    return (int(mix_array(words ^ places).sum(dtype=np.uint64)) + len(data)) & MASK


def hash_array(array):
    return f"{hash_bytes(np.ascontiguousarray(array).tobytes()):016x}"
