"""Sounds for tests of speech: harmonics whose pitch rises, with some noise, made from a seed."""

import numpy as np


def tone(seconds, rate, seed=0, channels=1):
    """float32 samples (n,) or (n, channels) from -1 to 1."""
    times = np.arange(round(seconds * rate)) / rate
    random = np.random.default_rng(seed)
    sound = sum(np.sin(2 * np.pi * k * (120 + 10 * times) * times) / k for k in range(1, 6)) * 0.2
    sound = (sound + random.normal(size=times.size) * 0.01).astype(np.float32)
    return sound if channels == 1 else np.stack([sound] * channels, axis=1)
