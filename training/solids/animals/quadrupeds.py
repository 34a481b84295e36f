"""Quadrupeds: a builder of animals on four legs from proportions, a coat and a pose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

from training.solids.animals.coats import Coat, fur, limb, natural
from training.solids.meshes import Part, ellipsoid, joined, surface

BLACK, WHITE, PINK = (0.06, 0.05, 0.05), (0.93, 0.91, 0.87), (0.78, 0.55, 0.5)


@dataclass(frozen=True)
class BodyFrame:
    """Proportions of an animal whose trunk is about 2 long; radii unless said otherwise."""

    height: float  # of the spine above the ground
    trunk: tuple[float, float, float]  # at rump, waist, chest
    leg: tuple[float, float]  # at thigh, ankle
    neck: tuple[float, float, float, float]  # length, degrees up, at base, at end
    head: tuple[float, float, float]  # length, at skull, at muzzle
    ears: tuple[float, float, float]  # length, half width, degrees up
    tail: tuple[float, float, float]  # length, at base, at tip
    pitch: float = -20  # of the head, degrees
    slope: float = 0.0  # chest above rump
    width: float = 0.85  # of the trunk, to its depth
    long: float = 1.0  # the trunk, to the usual one
    has_hooves: bool = True
    nose: tuple[float, float, float] = BLACK
    belly: tuple[float, float, float] | None = None


def leg(frame: BodyFrame, hip: np.ndarray, swing: float, coat: Coat, is_front: bool) -> list[Part]:
    """From the hip to the ground, with a paw or hoof."""
    (x, y, z), (thigh, ankle) = hip, frame.leg
    rad = np.radians(swing)
    bends = (0.0, -0.02, 0.02, 0.0) if is_front else (0.0, 0.06, -0.1, -0.04)
    path = []
    for share, bend in zip((0, 0.4, 0.7, 0.96), bends, strict=True):
        path.append((x + y * (bend + share * np.sin(rad)), y * (1 - share * np.cos(rad)), z))
    path[3] = (path[3][0], max(path[3][1], 0.06), z)
    shin = ankle * (1.25 if is_front else 1.1)
    upper = thigh * (1.0 if is_front else 1.2)
    parts = [limb(path, (upper, upper * 0.72, shin, ankle), coat)]
    foot = (path[3][0] + ankle * 0.5, path[3][1], z)
    if frame.has_hooves:
        hoof = ellipsoid((ankle * 1.4, ankle * 1.1, ankle * 1.2), (0.16, 0.13, 0.11), sides=20)
        return [*parts, hoof.moved(*foot)]
    paw = ellipsoid((ankle * 1.45, ankle * 0.9, ankle * 1.2), (0, 0, 0), sides=20).moved(*foot)
    return [*parts, coat(paw, paw.points[:, 1]).as_limb()]


def folded(frame: BodyFrame, hip: np.ndarray, coat: Coat, is_front: bool) -> list[Part]:
    """A leg of an animal that lies, or a hind leg of one that sits."""
    (x, y, z), (thigh, ankle) = hip, frame.leg
    low = ankle * 0.9
    if is_front:
        path = [(x - 0.1, y, z), (x, low + 0.1, z), (x + 0.35, low, z), (x + 0.8, low, z)]
        return [limb(path, (thigh, thigh * 0.9, ankle * 1.1, ankle * 1.2), coat)]
    haunch = ellipsoid((thigh * 2, thigh * 1.9, thigh), (0, 0, 0), sides=30).moved(x + 0.1, y, z)
    path = [(x - 0.1, low, z * 1.1), (x + 0.3, low, z * 1.15), (x + 0.65, low, z * 1.15)]
    haunch = coat(haunch, haunch.points[:, 0]).as_limb()
    return [haunch, limb(path, (ankle, ankle * 1.1, ankle * 1.2), coat)]


def ear(frame: BodyFrame, coat: Coat, side: int) -> Part:
    """A thin leaf that stands up from the skull, or hangs from it."""
    length, half, up = frame.ears
    share = np.linspace(0, 1, 14)[:, None]
    across = np.linspace(-1, 1, 13)[None]
    round_off = 0.5 if up < 68 or frame.has_hooves else 0.85
    wide = half * np.clip(1 - share**1.5, 0, 1) ** round_off
    cup = 0.5 * half * across**2 * (1 - share)
    points = np.stack(np.broadcast_arrays(cup, length * share, wide * across), -1)
    sheet = surface(points, (0, 0, 0), 0.05)
    sheet = coat(sheet, sheet.points[:, 1])
    pink = sheet.colours * 0.6 + (0.15, 0.08, 0.07)
    inner = sheet.moved(0.015).scaled(1, 0.85, 0.65).painted(pink)
    leaf = joined([sheet, inner]).turned(-35 * side).turned(side * (90 - up), "x")
    return leaf.moved(-0.25 * frame.head[1], 0.75 * frame.head[1], side * 0.55 * frame.head[1])


def face(rng: Generator, frame: BodyFrame, coat: Coat, muzzle: ArrayLike | None) -> list[Part]:
    """Head about the origin: skull, muzzle, nose, eyes, ears."""
    length, skull, tip = frame.head
    path = [(-skull, 0, 0), (0, 0, 0), (0.55 * length, -0.2 * skull, 0)]
    path.append((length, -0.35 * skull, 0))
    bar = limb(path, (skull * 0.8, skull, tip * 1.25, tip), coat, blunt=8).scaled(1, 1, 0.92)
    if muzzle is not None:
        bar = bar.painted(muzzle, np.clip((bar.points[:, 0] - 0.62 * length) * 8 / length, 0, 1))
    high = tip * (0.0 if frame.has_hooves else 0.45)
    size = tip * (0.35 if frame.has_hooves else 0.5)
    nose = ellipsoid((size * 0.8, size * 0.75, size * 1.1), frame.nose, sides=16).shiny(0.4)
    parts = [bar, ear(frame, coat, 1), ear(frame, coat, -1)]
    spots = (-0.5, 0.5) if frame.has_hooves else (0.0,)
    parts += [nose.moved(length - 0.4 * size, high - 0.35 * skull, s * tip) for s in spots]
    ball = ellipsoid([max(0.13 * skull, 0.03) * 1.2] * 3, BLACK, sides=16).shiny(0.9)
    iris = ball.scaled(1.15).painted(natural(rng, (0.35, 0.22, 0.1)))
    for side in (1, -1):
        where = (0.2 * length + 0.2 * skull, 0.28 * skull, side * 0.7 * skull)
        parts += [iris.moved(*where), ball.moved(where[0] + 0.03, where[1], where[2] + side * 0.02)]
    return parts


def posed(frame: BodyFrame, pose: str) -> tuple[np.ndarray, np.ndarray]:
    """Where rump and chest are."""
    chest = np.array([0.85 * frame.long, frame.height, 0.0])
    rump = chest * (-1, 1, 1)
    chest[1] += frame.slope
    if pose == "lying":
        rump[1] = chest[1] = frame.trunk[1] * 0.95
    if pose == "sitting":
        rump = np.array([-0.5, frame.trunk[0] * 0.95, 0])
        chest = np.add(rump, (0.75 * frame.long, max(frame.height, 1.0) * 0.9, 0))
    return rump, chest


def limbs(rng: Generator, frame: BodyFrame, pose: str, coat: Coat) -> list[Part]:
    """Four legs in a pose."""
    rump, chest = posed(frame, pose)
    parts: list[Part] = []
    stride = rng.uniform(14, 28) if pose == "walking" else rng.uniform(0, 5)
    for side in (1, -1):
        for is_front, at in ((True, chest), (False, rump)):
            radius = frame.trunk[2 if is_front else 0]
            z = side * (radius * frame.width - 0.95 * frame.leg[0])
            inward = np.array([-0.12 if is_front else 0.08, -0.25 * radius, z])
            if pose == "lying" or (pose == "sitting" and not is_front):
                parts += folded(frame, at * (1, 0.8, 1) + inward, coat, is_front)
            else:
                sign = side if is_front else -side
                swing = sign * stride * rng.uniform(0.7, 1.1)
                parts += leg(frame, at + inward, swing, coat, is_front)
    return parts


def hind(rng: Generator, frame: BodyFrame, pose: str, coat: Coat) -> Part:
    """The tail."""
    length, base, tip = frame.tail
    x, y, _ = posed(frame, pose)[0] - (0.1, -0.45 * frame.trunk[0], 0)
    lift = rng.uniform(-0.2, 0.9) if not frame.has_hooves else rng.uniform(-0.9, -0.6)
    if pose in ("lying", "sitting"):
        x, y, lift = x, 0.15, -0.02
    sway = rng.uniform(-0.3, 0.3) * length
    path = [(x, y, 0), (x - 0.22 - 0.2 * length, y + 0.1 * lift, sway * 0.2)]
    path += [(path[1][0] - 0.1 * length, y + 0.5 * length * lift, sway * 0.7)]
    path += [(path[1][0] - 0.15 * length, max(y + length * lift, 0.08), sway)]
    return limb(path, (base * 1.1, base, (base + tip) / 2, tip), coat).apart()


def torso(frame: BodyFrame, pose: str, coat: Coat) -> Part:
    """The trunk in a pose, with a pale belly if there is one."""
    rump, chest = posed(frame, pose)
    back, waist, front = frame.trunk
    middle = (rump + chest) / 2 + (0, 0.6 * (front - waist), 0)
    ends = np.add(rump, (-0.3, -0.1, 0)), np.add(chest, (0.32, -0.05, 0))
    spine = [ends[0], rump, middle, chest, ends[1]]
    body = limb(spine, (back * 0.6, back, waist, front, front * 0.65), coat, blunt=3)
    body = body.scaled(1, 1, frame.width)
    if frame.belly is not None:
        level = np.interp(body.points[:, 0], [rump[0], chest[0]], [rump[1], chest[1]])
        low = (level - body.points[:, 1]) / waist
        body = body.painted(frame.belly, np.clip(low * 3 - 1.2, 0, 0.9))
    return body


def beast(
    rng: Generator,
    frame: BodyFrame,
    coat: Coat,
    *,
    poses: Sequence[str] = ("standing", "walking", "walking"),
    graze: float = 0.0,
    mane: ArrayLike | Coat | None = None,
    muzzle: ArrayLike | None = None,
    extra: Callable[[Generator, BodyFrame], list[Part]] | None = None,
) -> list[Part]:
    """An animal in one of the poses; graze: how often its head is down; extra: on its head."""
    pose = str(rng.choice(poses))
    size, angle, base, end = frame.neck
    chest = posed(frame, pose)[1]
    is_down = rng.random() < graze
    rad = np.radians(rng.uniform(-55, -40) if is_down else angle + rng.uniform(-10, 10))
    size = min(size * (1.2 if is_down else 1.0), size + 0.5)
    start = np.add(chest, (0, 0 if is_down else 0.25 * (frame.trunk[2] - base), 0))
    way = np.array([np.cos(rad), np.sin(rad), 0])
    top = start + way * (size + 0.25)
    bend = np.array([0.06 * size, -0.04 * size, 0])
    neck = [start - way * 0.3 * base, start + way * 0.35 * size + bend]
    neck += [start + way * 0.7 * size + bend / 2, top]
    throat = limb(neck, (base * 1.1, base, (base + end) / 2, end), coat, blunt=5)
    parts = [torso(frame, pose, coat), throat.scaled(1, 1, 0.85)]
    if mane is not None:
        hair = mane if callable(mane) else fur(rng, mane)
        up = np.array([-way[1], way[0], 0]) * end * 0.85
        crest = [point + up * (base / end) ** (1 - i / 3) for i, point in enumerate(neck)]
        parts.append(limb(crest, (0.08, 0.16, 0.17, 0.12), hair).scaled(1, 1, 0.55))
    head = face(rng, frame, coat, muzzle) + (extra(rng, frame) if extra else [])
    look, tilt = rng.normal(0, 22), frame.pitch + rng.normal(0, 6) - (25 if is_down else 0)
    parts += [part.turned(look).turned(tilt, "z").moved(*top) for part in head]
    hair = coat if mane is None or callable(mane) else fur(rng, mane)
    return [*parts, *limbs(rng, frame, pose, coat), hind(rng, frame, pose, hair)]
