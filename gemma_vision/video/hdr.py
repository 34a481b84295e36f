"""HDR: light of PQ, HLG and wide colours toned down to what BT.709 can show. Numbers only.

H x W pictures. Light is relative to the white of a page, 203 cd/m2 (BT.2408), unless it says nits.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

WHITE = 203.0  # nits of a white page in PQ and HLG (BT.2408, table 1)
PEAK = 1000.0  # nits of the brightest thing, where a file does not say: what HLG is made for
MOST = 10_000.0  # nits of PQ's full signal
GAMMA = 2.4  # of an SDR display (BT.1886)
NUM_SIGNALS = 2**16
# ST 2084, equations 4 to 8
M1, M2 = 2610 / 16384, 2523 / 4096 * 128
C1, C2, C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
# ARIB STD-B67 and BT.2100, table 5: the curve, and the gamma of a display of 1000 nits
A, B, C = 0.17883277, 0.28466892, 0.55991073
SYSTEM_GAMMA = 1.2
LUMA_2020 = np.array([0.2627, 0.6780, 0.0593], np.float32)  # BT.2020, table 4
BT2020_TO_709 = np.array(  # BT.2087, annex 2: primaries of BT.2020 to those of BT.709
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)


def pq_to_nits(signal: npt.ArrayLike) -> Floats:
    """Signal 0 to 1 -> 0 to 10000 nits."""
    power = np.asarray(signal, np.float64) ** (1 / M2)
    light = (np.maximum(power - C1, 0) / (C2 - C3 * power)) ** (1 / M1)
    return np.asarray(MOST * light, np.float32)


def nits_to_pq(nits: npt.ArrayLike) -> Floats:
    """0 to 10000 nits -> signal 0 to 1."""
    power = (np.asarray(nits, np.float64) / MOST) ** M1
    return np.asarray(((C1 + C2 * power) / (1 + C3 * power)) ** M2, np.float32)


def hlg_to_scene(signal: npt.ArrayLike) -> Floats:
    """Signal 0 to 1 -> light of the scene, 0 to 1."""
    signal = np.asarray(signal, np.float64)
    return np.asarray(
        np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - C) / A) + B) / 12), np.float32
    )


def scene_to_nits(scene: Floats) -> Floats:
    """Light of an HLG scene as a display of 1000 nits shows it.   (H, W, 3) -> (H, W, 3)"""
    luma = scene @ LUMA_2020
    return PEAK * scene * luma[..., None] ** (SYSTEM_GAMMA - 1)


def roll_off(nits: npt.ArrayLike, peak: float) -> Floats:
    """Squeeze 0 to `peak` nits into 0 to 203: dark and middle tones stay (BT.2390, EETF)."""
    whole, target = float(nits_to_pq(peak)), float(nits_to_pq(WHITE))
    given = np.minimum(nits_to_pq(nits) / whole, 1.0)
    most = target / whole
    knee = 1.5 * most - 0.5
    t = np.maximum(given - knee, 0) / (1 - knee)
    curve = (2 * t**3 - 3 * t**2 + 1) * knee
    curve += (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    return pq_to_nits(np.where(given < knee, given, curve) * whole)


def tone_map(
    signal: npt.NDArray[np.uint16], curve: str, peak: float = PEAK
) -> npt.NDArray[np.uint8]:
    """RGB of 16 bits in BT.2020 colours -> RGB of 8 bits in those of BT.709.   (H, W, 3) each

    curve: "pq", "hlg" or "sdr" (wide colours alone). peak: nits of the brightest thing in a PQ
    recording.
    """
    light = light_of(curve)[signal]
    if curve == "hlg":
        light = scene_to_nits(light) / np.float32(WHITE)
    if curve != "sdr":
        gains = gains_of(PEAK if curve == "hlg" else max(peak, WHITE + 1))
        brightest = np.maximum(np.maximum(light[..., 0], light[..., 1]), light[..., 2])
        light *= gains[steps_of(brightest * np.float32(WHITE / MOST))][..., None]
    return level_of()[steps_of(np.clip(light @ BT2020_TO_709.T, 0, 1))]


def steps_of(light: Floats) -> npt.NDArray[np.uint16]:
    """Light 0 to 1 -> 0 to 65535 by its square root, so that dark tones have steps enough."""
    return (np.sqrt(light) * (NUM_SIGNALS - 1) + 0.5).astype(np.uint16)


def light_of_steps() -> npt.NDArray[np.float64]:
    """What the steps mean: 0 to 1."""
    return (np.arange(NUM_SIGNALS) / (NUM_SIGNALS - 1)) ** 2


@lru_cache(maxsize=3)
def light_of(curve: str) -> Floats:
    """What each of 65536 signals means: of "hlg" the scene's light, else light of a display."""
    signal = np.arange(NUM_SIGNALS) / (NUM_SIGNALS - 1)
    if curve == "pq":
        return pq_to_nits(signal) / np.float32(WHITE)
    return hlg_to_scene(signal) if curve == "hlg" else np.asarray(signal**GAMMA, np.float32)


@lru_cache(maxsize=8)
def gains_of(peak: float) -> Floats:
    """What a colour is multiplied by whose brightest part has so many steps of 10000 nits."""
    nits = MOST * np.maximum(light_of_steps(), 1e-9)
    return np.asarray(roll_off(nits, peak) / nits, np.float32)


@lru_cache(maxsize=1)
def level_of() -> npt.NDArray[np.uint8]:
    """Steps of light -> what a display is sent, 0 to 255."""
    return np.round(255 * light_of_steps() ** (1 / GAMMA)).astype(np.uint8)
