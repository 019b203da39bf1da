"""Draw the pictures of ``examples/sample_album``: a made-up family's year, one function a photo.

Run by hand, only when a drawing changes: ``python examples/make_sample_album.py [folder]``.
It writes the JPEG files with their EXIF and the Google Takeout sidecars, the same bytes every time
on one version of Pillow. The words of ``*.jsonl`` are written by people and are not made here.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from PIL import ExifTags, Image, ImageDraw, ImageOps

SCALE = 3  # drawn large, then made smaller: smooth edges
QUALITY = 80
LANDSCAPE, PORTRAIT = (320, 240), (240, 320)
ROTATED = {
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}
PLACES = {
    "home": (51.4683, -2.5886),
    "harbour": (51.4496, -2.5984),
    "snow hill": (51.4527, -2.6068),
    "mountains": (53.0685, -4.0763),
    "pitch": (51.4712, -2.6240),
    "manor": (51.4479, -2.6446),
    "university": (51.4561, -2.6045),
    "park": (51.4426, -2.5747),
    "bay": (43.3181, -1.9889),
    "concert hall": (51.4546, -2.5981),
    "aunt's garden": (51.3811, -2.3590),
}

Color = str
Point = tuple[float, float]


# --- the canvas ----------------------------------------------------------------------------------


def mix(first: Color, second: Color, share: float) -> Color:
    """Blend two ``#rrggbb`` colours; ``share`` of the second."""
    pairs = [(int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


class Canvas:
    """A picture in units of its final pixels."""

    def __init__(self, size: tuple[int, int], seed: str) -> None:
        self.width, self.height = size
        self.image = Image.new("RGB", (size[0] * SCALE, size[1] * SCALE), "#ffffff")
        self.pen = ImageDraw.Draw(self.image)
        self.random = random.Random(seed)

    def finish(self) -> Image.Image:
        return self.image.resize((self.width, self.height), Image.Resampling.LANCZOS)

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: Color, r: float = 0) -> None:
        corners = [v * SCALE for v in (x0, y0, x1, y1)]
        self.pen.rounded_rectangle(corners, radius=r * SCALE, fill=fill)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: Color) -> None:
        self.pen.ellipse([v * SCALE for v in (x - rx, y - ry, x + rx, y + ry)], fill=fill)

    def disc(self, x: float, y: float, r: float, fill: Color) -> None:
        self.oval(x, y, r, r, fill)

    def poly(self, points: Sequence[Point], fill: Color) -> None:
        self.pen.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)

    def line(self, points: Sequence[Point], fill: Color, width: float = 2) -> None:
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self.pen.line(scaled, fill=fill, width=max(1, round(width * SCALE)), joint="curve")
        for x, y in (points[0], points[-1]):
            self.disc(x, y, width / 2, fill)

    def arc(
        self, x: float, y: float, r: float, start: float, end: float, fill: Color, width: float
    ) -> None:
        corners = [v * SCALE for v in (x - r, y - r, x + r, y + r)]
        self.pen.arc(corners, start, end, fill=fill, width=max(1, round(width * SCALE)))

    def slice(self, x: float, y: float, r: float, start: float, end: float, fill: Color) -> None:
        corners = [v * SCALE for v in (x - r, y - r, x + r, y + r)]
        self.pen.pieslice(corners, start, end, fill=fill)

    def gradient(self, y0: float, y1: float, top: Color, bottom: Color) -> None:
        ramp = Image.linear_gradient("L").resize((self.image.width, round((y1 - y0) * SCALE)))
        self.image.paste(ImageOps.colorize(ramp, top, bottom), (0, round(y0 * SCALE)))

    def glow(self, x: float, y: float, r: float, fill: Color, strength: float = 0.8) -> None:
        side = round(2 * r * SCALE)
        mask = Image.radial_gradient("L").resize((side, side))
        edge = mask.getpixel((0, side // 2))
        fade = [255 * max(0.0, 1 - v / edge) ** 1.5 for v in range(256)]
        mask = mask.point([round(fade[v] * strength) for v in range(256)])
        self.image.paste(fill, (round((x - r) * SCALE), round((y - r) * SCALE)), mask)

    def beam(self, points: Sequence[Point], fill: Color, strength: float = 0.3) -> None:
        mask = Image.new("L", self.image.size, 0)
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        ImageDraw.Draw(mask).polygon(scaled, fill=round(255 * strength))
        self.image.paste(fill, (0, 0), mask)


# --- people --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """How somebody looks; ``size`` is the height beside an adult's."""

    skin: Color
    hair: Color
    top: Color
    bottom: Color
    style: str = "short"
    size: float = 1.0
    dress: bool = False
    beard: bool = False
    glasses: bool = False


NORA = Person("#f3c9a8", "#b5532a", "#3d8f86", "#34495e", "long")
TOM = Person("#eebd97", "#4a3325", "#c8553d", "#3b4a63", beard=True)
MAYA = Person("#f3c9a8", "#8a3f22", "#e8b33d", "#4b5d7a", "pony")
LEO = Person("#f3c9a8", "#d07a3a", "#3a7fc1", "#7a6248", "tuft", size=0.68)
ROSA = Person(
    "#f0c4a4", "#d9d9dd", "#8e5a9b", "#5b4a6a", "bun", size=0.92, dress=True, glasses=True
)
HAL = Person("#eab893", "#ececec", "#6b8e5a", "#6a5a4a", "bald", size=0.97, glasses=True)
JUNE = Person("#f3c9a8", "#6b3a22", "#d9738f", "#d9738f", "long", dress=True)
AMIR = Person("#c58c61", "#241a16", "#2f3b52", "#2f3b52", beard=True)
IDA = Person("#d3a075", "#2b1d18", "#f08fb0", "#f08fb0", "curly", size=0.58, dress=True)
SAM = Person("#8d5a3b", "#1d1512", "#e9c23c", "#3f6aa8", "curly", size=0.66)
MEI = Person("#f2cfa5", "#1f1a1c", "#e2574c", "#6a4c93", "long", size=0.66, dress=True)
BEN = Person("#f6d3b8", "#e3c05a", "#59a65f", "#4b5d7a", "tuft", size=0.64)
ADA = Person("#7b4a30", "#16100e", "#5aa0d6", "#5aa0d6", "bun", dress=True)
KOFI = Person("#6e4329", "#14100e", "#f2efe6", "#43506b", "curly")
LIV = Person("#f7dcc4", "#ecd27a", "#7fb5a5", "#7fb5a5", "pony", dress=True)

GOWN = "#262b3a"  # academic, with a coloured hood
DOWN, UP, WAVE, HUG, OUT, FRONT = (14, 14), (155, 155), (14, 150), (40, 40), (80, 80), (28, -28)


def hat_on(c: Canvas, hat: str, x: float, y: float, r: float) -> None:
    """Put a hat on the head with its centre at (x, y)."""
    if hat == "mortarboard":
        c.box(x - r * 0.9, y - r * 0.95, x + r * 0.9, y - r * 0.35, "#20242e", r * 0.2)
        flat = [(x - r * 1.6, y - r * 0.95), (x, y - r * 1.45), (x + r * 1.6, y - r * 0.95)]
        c.poly([*flat, (x, y - r * 0.45)], "#2c3240")
        c.line([(x, y - r * 0.95), (x + r * 1.15, y - r * 0.75), (x + r * 1.15, y)], "#f0c040", 1.2)
    elif hat == "party":
        c.poly(
            [(x - r * 0.7, y - r * 0.7), (x + r * 0.7, y - r * 0.7), (x, y - r * 2.3)], "#ff6f91"
        )
        c.line([(x - r * 0.45, y - r * 1.15), (x + r * 0.5, y - r * 0.95)], "#ffe066", r * 0.2)
        c.disc(x, y - r * 2.3, r * 0.28, "#ffe066")
    elif hat == "santa":
        c.poly([(x - r, y - r * 0.5), (x + r, y - r * 0.5), (x + r * 1.3, y - r * 1.7)], "#d0312d")
        c.slice(x, y - r * 0.4, r * 1.02, 180, 360, "#d0312d")
        c.box(x - r * 1.1, y - r * 0.75, x + r * 1.1, y - r * 0.35, "#ffffff", r * 0.2)
        c.disc(x + r * 1.35, y - r * 1.55, r * 0.3, "#ffffff")
    elif hat == "beanie":
        c.slice(x, y - r * 0.2, r * 1.08, 180, 360, "#d9534f")
        c.box(x - r * 1.12, y - r * 0.5, x + r * 1.12, y - r * 0.12, "#f4e4c1", r * 0.15)
        c.disc(x, y - r * 1.35, r * 0.3, "#f4e4c1")
    elif hat == "sun":
        c.slice(x, y - r * 0.4, r * 0.85, 180, 360, "#f3d58a")
        c.oval(x, y - r * 0.42, r * 1.7, r * 0.26, "#e6c06a")
        c.line([(x - r * 0.8, y - r * 0.58), (x + r * 0.8, y - r * 0.58)], "#d9534f", r * 0.18)
    elif hat == "paper crown":
        points = [(-0.8, -0.5), (-0.9, -1.5), (-0.4, -1.0), (0, -1.7), (0.4, -1.0), (0.9, -1.5)]
        c.poly([(x + u * r, y + v * r) for u, v in [*points, (0.8, -0.5)]], "#f2b632")
    elif hat == "flowers":
        for i in range(6):
            angle = math.radians(200 + 28 * i)
            bloom = "#ffffff" if i % 2 else "#f4a6c0"
            c.disc(x + r * math.cos(angle), y + r * math.sin(angle), r * 0.24, bloom)


def hair_of(c: Canvas, who: Person, x: float, y: float, r: float, back: bool) -> None:
    """Draw the hair that lies over the face; ``back`` shows the head from behind."""
    if back and who.style != "bald":
        c.disc(x, y, r * 1.05, who.hair)
    elif who.style == "bald":
        for side in (-1, 1):
            c.oval(x + side * r, y + r * 0.05, r * 0.22, r * 0.4, who.hair)
    elif who.style == "curly":
        for i in range(9):
            angle = math.radians(170 + 25 * i)
            c.disc(x + r * 0.9 * math.cos(angle), y + r * 0.9 * math.sin(angle), r * 0.36, who.hair)
    else:
        c.slice(x, y - r * 0.05, r * 1.07, 178, 362, who.hair)
        if who.style == "tuft":
            c.poly(
                [(x - r * 0.5, y - r), (x + r * 0.5, y - r), (x + r * 0.2, y - r * 1.4)], who.hair
            )
        face = [(x - r * 0.85, y), (x - r * 0.2, y - r * 0.45), (x + r * 0.86, y)]
        c.poly([*face, (x, y + r * 0.2)], who.skin)


def head_of(c: Canvas, who: Person, x: float, y: float, r: float, back: bool) -> None:
    """Draw a head with its face."""
    if who.style == "long":
        c.box(x - r * 1.12, y - r * 0.6, x + r * 1.12, y + r * 1.35, who.hair, r * 0.6)
    elif who.style == "pony":
        c.oval(x + r * 1.1, y + r * 0.35, r * 0.38, r * 0.8, who.hair)
    elif who.style == "bun":
        c.disc(x, y - r * 1.15, r * 0.48, who.hair)
    c.disc(x, y, r, who.skin)
    if not back:
        if who.beard:
            c.slice(x, y, r, 10, 170, who.hair)
            c.oval(x, y + r * 0.28, r * 0.62, r * 0.36, who.skin)
        dark = "#2a211f"
        for side in (-1, 1):
            c.oval(
                x + side * r * 0.58, y + r * 0.34, r * 0.2, r * 0.13, mix(who.skin, "#e8606a", 0.4)
            )
            c.disc(x + side * r * 0.36, y + r * 0.08, r * 0.11, dark)
            if who.glasses:
                c.arc(x + side * r * 0.38, y + r * 0.08, r * 0.28, 0, 360, "#5a4a42", r * 0.07)
        c.arc(x, y + r * 0.3, r * 0.34, 15, 165, "#9c3b35", max(0.7, r * 0.1))
    hair_of(c, who, x, y, r, back)


def person(
    c: Canvas,
    who: Person,
    x: float,
    feet: float,
    tall: float = 110,
    arms: tuple[float, float] = DOWN,
    *,
    hat: str = "",
    back: bool = False,
    step: float = 0,
    gown: Color = "",
) -> tuple[Point, Point]:
    """Draw somebody standing at (x, feet), ``tall`` px for an adult; return where the hands are.

    An arm's angle is 0 when it hangs and 180 when it points up.
    """
    h = tall * who.size
    r = 0.15 * tall * (0.55 + 0.45 * who.size)  # a child's head is large for its body
    y = feet - h + r
    shoulder, hip, half = y + r * 1.0, feet - (h - r) * 0.4, r * 0.95
    shoe = mix(who.bottom, "#000000", 0.5)
    for side in (-1, 1):
        foot = x + side * (half * 0.5 + step)
        if not gown:
            leg = who.skin if who.dress else who.bottom
            c.line([(x + side * half * 0.45, hip), (foot, feet - r * 0.15)], leg, r * 0.55)
        c.oval(foot + side * r * 0.1, feet - r * 0.1, r * 0.42, r * 0.22, shoe)
    cloth = gown or who.top
    hands = []
    for side, angle in zip((-1, 1), arms, strict=True):
        sx, sy, length = x + side * half * 0.85, shoulder + r * 0.35, (h - r) * 0.36
        turn = math.radians(angle)
        hand = (sx + side * length * math.sin(turn), sy + length * math.cos(turn))
        middle = ((sx + 2 * hand[0]) / 3, (sy + 2 * hand[1]) / 3)
        c.line([(sx, sy), hand], who.skin, r * 0.36)
        c.line([(sx, sy), middle], mix(cloth, "#000000", 0.1), r * (0.9 if gown else 0.5))
        c.disc(*hand, r * 0.24, who.skin)
        hands.append(hand)
    if gown or who.dress:
        hem = feet - r * 0.4 if gown else hip + (feet - hip) * 0.45
        wide = half * (1.5 if gown else 1.45)
        c.poly(
            [(x - half, shoulder + r), (x + half, shoulder + r), (x + wide, hem), (x - wide, hem)],
            cloth,
        )
    bottom = hip + r * 0.2
    c.box(x - half, shoulder - r * 0.15, x + half, bottom, cloth, r * 0.5)
    if gown == GOWN and not back:
        c.poly(
            [(x - half * 0.5, shoulder), (x + half * 0.5, shoulder), (x, shoulder + r * 1.5)],
            "#b5303c",
        )
        c.poly(
            [(x - half * 0.3, shoulder), (x + half * 0.3, shoulder), (x, shoulder + r)], "#ffffff"
        )
    head_of(c, who, x, y, r, back)
    if hat:
        hat_on(c, hat, x, y, r)
    return hands[0], hands[1]


def crowd(c: Canvas, y: float, r: float, colors: Sequence[Color], raised: float = 0.0) -> None:
    """Draw a row of heads from behind, some with raised arms."""
    x = -r
    while x < c.width + r:
        color = c.random.choice(colors)
        dy = c.random.uniform(-r * 0.4, r * 0.4)
        if c.random.random() < raised:
            for side in (-1, 1):
                end = (x + side * r * c.random.uniform(1.1, 1.7), y + dy - r * 2.4)
                c.line([(x + side * r, y + dy + r * 1.4), end], color, r * 0.5)
        c.disc(x, y + dy, r, color)
        c.box(x - r * 1.5, y + dy + r * 0.9, x + r * 1.5, c.height + r, color, r * 0.8)
        x += r * c.random.uniform(2.3, 3.0)


# --- outdoors ------------------------------------------------------------------------------------


def cloud(c: Canvas, x: float, y: float, s: float, fill: Color = "#ffffff") -> None:
    for dx, dy, r in ((-1.2, 0.2, 0.7), (-0.4, -0.2, 0.9), (0.5, 0, 0.8), (1.2, 0.25, 0.6)):
        c.oval(x + dx * s, y + dy * s, r * s, r * s * 0.75, fill)


def hills(c: Canvas, base: float, rise: float, fill: Color) -> None:
    a, b = c.random.uniform(0, 6), c.random.uniform(0, 6)

    def height(x: float) -> float:
        return rise * (0.5 + 0.3 * math.sin(x / 47 + a) + 0.2 * math.sin(x / 23 + b))

    ridge = [(x, base - height(x)) for x in range(0, c.width + 4, 4)]
    c.poly([(0, c.height), *ridge, (c.width, c.height)], fill)


def mountain(
    c: Canvas, x: float, base: float, w: float, h: float, fill: Color, snow: bool = True
) -> None:
    c.poly([(x - w, base), (x, base - h), (x + w, base)], fill)
    c.poly([(x, base - h), (x + w, base), (x + w * 0.15, base)], mix(fill, "#000000", 0.14))
    if snow:
        cap = [(-0.3, 0.3), (-0.14, 0.24), (-0.03, 0.33), (0.1, 0.22), (0.3, 0.3)]
        c.poly([(x, base - h), *((x + u * w, base - h + v * h) for u, v in cap)], "#f8fbff")


def tree(c: Canvas, x: float, y: float, h: float, fill: Color = "#5f9e54") -> None:
    c.box(x - h * 0.05, y - h * 0.45, x + h * 0.05, y, "#7a5a3c", h * 0.02)
    for dx, dy, r in ((-0.2, -0.52, 0.2), (0.2, -0.55, 0.2), (0, -0.75, 0.25), (0, -0.5, 0.22)):
        c.disc(x + dx * h, y + dy * h, r * h, fill)
    c.disc(x - h * 0.08, y - h * 0.8, h * 0.12, mix(fill, "#ffffff", 0.18))


def pine(
    c: Canvas, x: float, y: float, h: float, fill: Color = "#2f6b4f", snow: bool = False
) -> None:
    c.box(x - h * 0.05, y - h * 0.15, x + h * 0.05, y, "#6b4a32")
    for level in range(3):
        top, half = y - h * (0.5 + 0.25 * level), h * (0.32 - 0.07 * level)
        c.poly(
            [(x - half, top + h * 0.4), (x + half, top + h * 0.4), (x, top)],
            mix(fill, "#ffffff", 0.05 * level),
        )
        if snow:
            c.poly(
                [(x - half * 0.45, top + h * 0.16), (x + half * 0.45, top + h * 0.16), (x, top)],
                "#ffffff",
            )


def flowers(c: Canvas, y0: float, y1: float, n: int, colors: Sequence[Color]) -> None:
    for _ in range(n):
        x, y, fill = c.random.uniform(0, c.width), c.random.uniform(y0, y1), c.random.choice(colors)
        c.disc(x, y, 1.7, fill)
        c.disc(x, y, 0.7, "#fff3b0")


def confetti(c: Canvas, y0: float, y1: float, n: int, colors: Sequence[Color]) -> None:
    for _ in range(n):
        x, y, fill = c.random.uniform(0, c.width), c.random.uniform(y0, y1), c.random.choice(colors)
        c.oval(x, y, c.random.uniform(1.2, 2.4), c.random.uniform(1.0, 2.0), fill)


def snowfall(c: Canvas, n: int) -> None:
    for _ in range(n):
        c.disc(
            c.random.uniform(0, c.width),
            c.random.uniform(0, c.height),
            c.random.uniform(0.8, 1.9),
            "#ffffff",
        )


def stars(c: Canvas, y1: float, n: int) -> None:
    for _ in range(n):
        c.disc(
            c.random.uniform(0, c.width),
            c.random.uniform(0, y1),
            c.random.uniform(0.4, 1.1),
            "#fff7d6",
        )


def meadow(
    c: Canvas, horizon: float = 135, sun: Point = (262, 42), grass: Color = "#86c166"
) -> None:
    c.gradient(0, horizon + 20, "#7cc4f0", "#e6f5fb")
    c.glow(*sun, 60, "#fff3b8")
    c.disc(*sun, 17, "#ffe27a")
    cloud(c, c.width * 0.2, 38, 18)
    cloud(c, c.width * 0.58, 60, 12)
    hills(c, horizon + 4, 34, mix(grass, "#4d9a86", 0.5))
    hills(c, horizon + 22, 18, mix(grass, "#3f8f4f", 0.25))
    c.gradient(horizon + 18, c.height, grass, mix(grass, "#2f7a3a", 0.35))


def snowfield(c: Canvas, horizon: float = 140) -> None:
    c.gradient(0, horizon + 20, "#9fc4e2", "#e9f1f7")
    hills(c, horizon, 30, "#c9dbea")
    for i in range(7):
        pine(
            c,
            14 + 50 * i + c.random.uniform(-9, 9),
            horizon + 8,
            c.random.uniform(40, 62),
            "#4d7d70",
            snow=True,
        )
    c.gradient(horizon + 2, c.height, "#fafdff", "#d5e4f1")


def night(c: Canvas, top: Color = "#0d1533", bottom: Color = "#33477d", n: int = 50) -> None:
    c.gradient(0, c.height, top, bottom)
    stars(c, c.height * 0.6, n)


def skyline(c: Canvas, base: float, fill: Color, lights: Color) -> None:
    x = 0.0
    while x < c.width:
        w, h = c.random.uniform(18, 34), c.random.uniform(22, 62)
        c.box(x, base - h, x + w, base, fill)
        if c.random.random() < 0.4:
            c.poly([(x, base - h), (x + w, base - h), (x + w / 2, base - h - 12)], fill)
        for wy in range(int(base - h) + 6, int(base) - 6, 9):
            for wx in range(int(x) + 4, int(x + w) - 4, 8):
                if c.random.random() < 0.5:
                    c.box(wx, wy, wx + 3, wy + 4, lights)
        x += w + 1


def water(c: Canvas, y0: float, y1: float, top: Color, bottom: Color, n: int = 26) -> None:
    c.gradient(y0, y1, top, bottom)
    for _ in range(n):
        x, y = c.random.uniform(0, c.width), c.random.uniform(y0 + 3, y1 - 2)
        c.line([(x, y), (x + c.random.uniform(6, 20), y)], mix(top, "#ffffff", 0.45), 0.9)


def shore(c: Canvas, dusk: bool = False) -> None:
    sky, sea = ("#f0a35e", "#fbe3b0"), ("#c9788a", "#6a5a8c")
    if not dusk:
        sky, sea = ("#6dbdf0", "#dff3fb"), ("#2f9fc4", "#7fd6d8")
    c.gradient(0, 112, *sky)
    water(c, 110, 172, *sea)
    sand = "#d9a77a" if dusk else "#f4dfae"
    c.poly(
        [
            (0, 166),
            *((x, 168 + 3 * math.sin(x / 21)) for x in range(0, 324, 4)),
            (320, 240),
            (0, 240),
        ],
        "#ffffff",
    )
    c.poly(
        [
            (0, 171),
            *((x, 172 + 3 * math.sin(x / 21)) for x in range(0, 324, 4)),
            (320, 240),
            (0, 240),
        ],
        sand,
    )
    for _ in range(40):
        c.disc(
            c.random.uniform(0, 320), c.random.uniform(182, 238), 0.8, mix(sand, "#8a6a3a", 0.35)
        )


def firework(c: Canvas, x: float, y: float, r: float, fill: Color, rays: int = 18) -> None:
    c.glow(x, y, r * 1.3, fill, 0.45)
    for i in range(rays):
        turn = 2 * math.pi * i / rays
        u, v = math.cos(turn), math.sin(turn)
        for start, end, shade in ((0.2, 0.62, 0.35), (0.66, 0.86, 0.1)):
            c.line(
                [(x + u * r * start, y + v * r * start), (x + u * r * end, y + v * r * end)],
                mix(fill, "#ffffff", shade),
                1.4,
            )
        c.disc(x + u * r, y + v * r, 1.6, mix(fill, "#ffffff", 0.5))


def sparkle(c: Canvas, x: float, y: float, r: float = 13) -> None:
    c.glow(x, y, r * 2.2, "#ffd98a", 0.8)
    for i in range(12):
        turn, length = math.pi * i / 6, r * (1 if i % 2 else 0.6)
        c.line([(x, y), (x + length * math.cos(turn), y + length * math.sin(turn))], "#fff4c9", 0.9)


def snowman(c: Canvas, x: float, y: float, s: float) -> None:
    c.oval(x, y, s * 1.3, s * 0.25, "#bfd3e4")
    for dy, r in ((-0.85, 1.0), (-2.3, 0.75), (-3.5, 0.55)):
        c.disc(x, y + dy * s, r * s, "#dbe8f3")
        c.disc(x - 0.06 * s, y + dy * s - 0.06 * s, r * s * 0.93, "#ffffff")
    for side in (-1, 1):
        c.line(
            [(x + side * s * 0.7, y - 2.4 * s), (x + side * s * 1.7, y - 3.1 * s)],
            "#6b4a32",
            s * 0.1,
        )
        c.disc(x + side * s * 0.2, y - 3.6 * s, s * 0.08, "#26262c")
    c.poly([(x, y - 3.55 * s), (x, y - 3.3 * s), (x + s * 0.7, y - 3.35 * s)], "#f08a3c")
    c.box(x - 0.55 * s, y - 3.1 * s, x + 0.55 * s, y - 2.82 * s, "#d0463f", s * 0.12)
    c.box(x + 0.15 * s, y - 2.95 * s, x + 0.45 * s, y - 2.0 * s, "#d0463f", s * 0.1)
    for i in range(3):
        c.disc(x, y - (2.5 - 0.6 * i) * s, s * 0.08, "#26262c")
    c.box(x - 0.75 * s, y - 4.05 * s, x + 0.75 * s, y - 3.9 * s, "#2d3142", s * 0.05)
    c.box(x - 0.45 * s, y - 4.7 * s, x + 0.45 * s, y - 3.95 * s, "#2d3142", s * 0.05)


def dog(c: Canvas, x: float, y: float, s: float, fill: Color = "#c98f4f", way: int = 1) -> None:
    """Draw Biscuit, who looks right (``way`` 1) or left (-1)."""
    dark = mix(fill, "#000000", 0.3)
    for dx in (-0.8, -0.5, 0.5, 0.8):
        c.line(
            [(x + dx * s, y - s * 0.7), (x + dx * s, y - s * 0.08)],
            mix(fill, "#000000", 0.1),
            s * 0.24,
        )
    c.line([(x - way * s, y - s * 1.1), (x - way * s * 1.5, y - s * 1.7)], fill, s * 0.22)
    c.box(x - s * 1.05, y - s * 1.35, x + s * 1.05, y - s * 0.5, fill, s * 0.4)
    hx, hy = x + way * s * 1.2, y - s * 1.6
    c.disc(hx, hy, s * 0.52, fill)
    c.oval(hx + way * s * 0.42, hy + s * 0.16, s * 0.36, s * 0.24, mix(fill, "#ffffff", 0.55))
    c.disc(hx + way * s * 0.72, hy + s * 0.08, s * 0.12, "#2a211f")
    c.disc(hx + way * s * 0.2, hy - s * 0.12, s * 0.09, "#2a211f")
    c.oval(hx - way * s * 0.3, hy + s * 0.1, s * 0.2, s * 0.42, dark)
    c.box(
        x + way * s * 0.95 - s * 0.15,
        y - s * 1.3,
        x + way * s * 0.95 + s * 0.15,
        y - s * 0.85,
        "#d0463f",
        s * 0.1,
    )
    c.oval(hx + way * s * 0.5, hy + s * 0.45, s * 0.1, s * 0.18, "#f08a9b")


def tent(c: Canvas, x: float, y: float, s: float, fill: Color, lit: bool = False) -> None:
    c.poly(
        [(x - s, y), (x - s * 0.1, y - s), (x + s * 1.3, y - s * 0.1), (x + s * 0.6, y)],
        mix(fill, "#000000", 0.2),
    )
    c.poly([(x - s, y), (x - s * 0.1, y - s), (x + s * 0.6, y)], fill)
    c.poly(
        [(x - s * 0.35, y), (x - s * 0.1, y - s * 0.75), (x + s * 0.1, y)],
        "#ffe9a8" if lit else mix(fill, "#000000", 0.5),
    )


def campfire(c: Canvas, x: float, y: float, s: float) -> None:
    c.glow(x, y - s * 0.6, s * 5, "#ff9d3c", 0.6)
    for a, b in ((-1, 1), (1, -1)):
        c.line([(x + a * s, y), (x + b * s * 0.7, y - s * 0.5)], "#6b4226", s * 0.35)
    for fill, k in (("#f2662e", 1.0), ("#ffb23f", 0.65), ("#fff0a8", 0.35)):
        c.poly(
            [
                (x - s * 0.7 * k, y - s * 0.3),
                (x - s * 0.3 * k, y - s * 1.3 * k),
                (x, y - s * 2.1 * k - s * 0.2),
                (x + s * 0.35 * k, y - s * 1.2 * k),
                (x + s * 0.7 * k, y - s * 0.3),
            ],
            fill,
        )


def pitch(c: Canvas) -> None:
    c.gradient(0, 80, "#86c9f2", "#e2f3fb")
    cloud(c, 70, 30, 14)
    for x in range(-10, 340, 34):
        tree(
            c,
            x + c.random.uniform(-6, 6),
            92,
            c.random.uniform(46, 64),
            c.random.choice(["#5f9e54", "#74ab58", "#4f8f52"]),
        )
    for i in range(8):
        y0, y1 = 88 + i * i * 2.4, 88 + (i + 1) * (i + 1) * 2.4
        c.box(0, y0, 320, y1 + 1, "#6fb554" if i % 2 else "#7cc25f")
    c.line([(0, 100), (320, 100)], "#f4fbef", 1.2)


def goal(c: Canvas, x: float, y: float, w: float, h: float) -> None:
    for i in range(1, 12):
        c.line([(x + w * i / 12, y - h), (x + w * i / 12, y - 3)], "#dfeee0", 0.6)
    for i in range(1, 7):
        c.line([(x, y - h * i / 7), (x + w, y - h * i / 7)], "#dfeee0", 0.6)
    c.line([(x, y), (x, y - h), (x + w, y - h), (x + w, y)], "#ffffff", 3)


def ball(c: Canvas, x: float, y: float, r: float) -> None:
    c.oval(x, y + r, r, r * 0.2, "#4f8a40")
    c.disc(x, y, r, "#2a2d34")
    c.disc(x, y, r * 0.93, "#ffffff")
    spots = [(0.0, 0.0)] + [
        (0.72 * math.cos(t), 0.72 * math.sin(t)) for t in (0.3, 1.56, 2.8, 4.1, 5.3)
    ]
    for u, v in spots:
        c.disc(x + u * r, y + v * r, r * 0.24, "#2a2d34")


def bicycle(c: Canvas, x: float, y: float, s: float, fill: Color) -> None:
    for dx in (-1.05, 1.05):
        c.arc(x + dx * s, y - s * 0.65, s * 0.65, 0, 360, "#33363f", s * 0.1)
        for i in range(4):
            u, v = math.cos(i * math.pi / 4), math.sin(i * math.pi / 4)
            c.line(
                [
                    (x + dx * s - u * s * 0.6, y - s * 0.65 - v * s * 0.6),
                    (x + dx * s + u * s * 0.6, y - s * 0.65 + v * s * 0.6),
                ],
                "#a9afb9",
                0.6,
            )
    rear, crank, seat, bars = (
        (x - 1.05 * s, y - 0.65 * s),
        (x - 0.1 * s, y - 0.6 * s),
        (x - 0.45 * s, y - 1.45 * s),
        (x + 0.75 * s, y - 1.45 * s),
    )
    c.line([rear, crank, seat, rear], fill, s * 0.13)
    c.line([crank, bars, (x + 1.05 * s, y - 0.65 * s)], fill, s * 0.13)
    c.line([seat, bars], fill, s * 0.13)
    c.line([(x + 0.72 * s, y - 1.75 * s), bars], "#5a5f6b", s * 0.1)
    c.line([(x + 0.5 * s, y - 1.8 * s), (x + 0.95 * s, y - 1.75 * s)], "#33363f", s * 0.12)
    c.line([(x - 0.7 * s, y - 1.55 * s), (x - 0.25 * s, y - 1.55 * s)], "#33363f", s * 0.16)


def umbrella(c: Canvas, x: float, y: float, s: float, first: Color, second: Color) -> None:
    c.oval(x + s * 0.2, y, s * 1.1, s * 0.16, "#dcc48c")
    c.line([(x, y), (x - s * 0.1, y - s * 1.9)], "#f2efe8", s * 0.07)
    for i in range(6):
        c.slice(
            x - s * 0.1,
            y - s * 1.15,
            s * 1.15,
            180 + 30 * i,
            210 + 30 * i,
            first if i % 2 else second,
        )


def castle(c: Canvas, x: float, y: float, s: float) -> None:
    sand, shade = "#e3b96f", "#c99b50"
    c.oval(x, y, s * 2.1, s * 0.35, shade)
    for dx, h in ((-1.2, 1.2), (1.2, 1.2), (0, 1.9)):
        c.box(x + dx * s - s * 0.45, y - h * s, x + dx * s + s * 0.45, y, sand)
        for k in (-0.34, 0, 0.34):
            c.box(
                x + (dx + k) * s - s * 0.1,
                y - h * s - s * 0.2,
                x + (dx + k) * s + s * 0.1,
                y - h * s + 1,
                sand,
            )
    c.box(x - s * 1.2, y - s * 0.7, x + s * 1.2, y, mix(sand, shade, 0.4))
    c.slice(x, y, s * 0.35, 180, 360, "#8f6a35")
    c.line([(x, y - s * 2), (x, y - s * 3)], "#7a5a3c", s * 0.08)
    c.poly([(x, y - s * 3), (x + s * 0.8, y - s * 2.75), (x, y - s * 2.5)], "#d9534f")


def boat(c: Canvas, x: float, y: float, s: float, sail: Color = "#ffffff") -> None:
    c.poly(
        [(x - s, y - s * 0.3), (x + s, y - s * 0.3), (x + s * 0.65, y), (x - s * 0.65, y)],
        "#b5503c",
    )
    c.line([(x, y - s * 0.3), (x, y - s * 1.9)], "#6b4a32", s * 0.08)
    c.poly(
        [(x + s * 0.06, y - s * 1.85), (x + s * 0.85, y - s * 0.45), (x + s * 0.06, y - s * 0.45)],
        sail,
    )
    c.poly(
        [(x - s * 0.06, y - s * 1.6), (x - s * 0.6, y - s * 0.45), (x - s * 0.06, y - s * 0.45)],
        mix(sail, "#d9534f", 0.5),
    )


def university(c: Canvas, x: float, y: float, w: float, h: float) -> None:
    stone = "#e6d3ae"
    c.box(x - w * 0.75, y - h * 0.62, x + w * 0.75, y, mix(stone, "#8a6d46", 0.2))
    for i in range(6):
        wx = x - w * 0.7 + i * w * 0.27
        if abs(wx - x) > w * 0.3:
            c.box(wx, y - h * 0.48, wx + w * 0.1, y - h * 0.2, "#7f97ad", 2)
    c.box(x - w * 0.4, y - h * 0.68, x + w * 0.4, y, stone)
    c.poly(
        [(x - w * 0.46, y - h * 0.68), (x, y - h), (x + w * 0.46, y - h * 0.68)],
        mix(stone, "#ffffff", 0.3),
    )
    c.disc(x, y - h * 0.79, h * 0.07, "#b08d57")
    for i in range(5):
        px = x - w * 0.36 + i * w * 0.18
        c.box(px - w * 0.03, y - h * 0.66, px + w * 0.03, y, "#fbf3df", 1)
    c.box(x - w * 0.06, y - h * 0.36, x + w * 0.06, y, "#6b4a32", 2)
    for i in range(3):
        c.box(
            x - w * (0.44 + 0.03 * i),
            y + i * 3,
            x + w * (0.44 + 0.03 * i),
            y + i * 3 + 3,
            mix(stone, "#8a7a5a", 0.12 * i),
        )


def grill(c: Canvas, x: float, y: float, s: float) -> None:
    for dx in (-0.6, 0.6):
        c.line([(x + dx * s * 0.6, y - s * 1.2), (x + dx * s * 1.2, y)], "#4a4e57", s * 0.12)
    c.slice(x, y - s * 1.55, s, 0, 180, "#33363f")
    c.oval(x, y - s * 1.55, s, s * 0.16, "#e2672f")
    for i in range(4):
        c.box(
            x - s * 0.75 + i * s * 0.4,
            y - s * 1.75,
            x - s * 0.48 + i * s * 0.4,
            y - s * 1.55,
            "#a4522f",
            s * 0.08,
        )
    for i, dx in enumerate((-0.4, 0.1, 0.5)):
        c.glow(x + dx * s, y - s * (2.5 + 0.5 * i), s * (0.7 + 0.2 * i), "#ffffff", 0.5)


def kite(c: Canvas, x: float, y: float, s: float, to: Point) -> None:
    c.line([(x, y + s), ((x + to[0]) / 2, (y + to[1]) / 2 + 16), to], "#fafafa", 0.7)
    c.poly([(x, y - s), (x + s * 0.7, y), (x, y + s), (x - s * 0.7, y)], "#e8505b")
    c.poly([(x, y - s), (x + s * 0.7, y), (x, y + s)], "#f9b233")
    for i in range(4):
        c.oval(x + s * 0.25 * (-1) ** i, y + s * (1.3 + 0.35 * i), s * 0.2, s * 0.12, "#4aa3d9")


def blanket(c: Canvas, x: float, y: float, w: float, h: float, fill: Color) -> None:
    def at(u: float, v: float) -> Point:
        return x + (u - 0.5) * w * (0.8 + 0.2 * v), y + v * h

    c.poly([at(0, 0), at(1, 0), at(1, 1), at(0, 1)], "#fdf6ec")
    for i in range(0, 8, 2):
        c.beam([at(i / 8, 0), at((i + 1) / 8, 0), at((i + 1) / 8, 1), at(i / 8, 1)], fill, 0.55)
    for i in range(0, 4, 2):
        c.beam([at(0, i / 4), at(1, i / 4), at(1, (i + 1) / 4), at(0, (i + 1) / 4)], fill, 0.55)


# --- indoors and things --------------------------------------------------------------------------


def room(c: Canvas, wall: Color, floor: Color, y: float = 178) -> None:
    c.gradient(0, y, mix(wall, "#ffffff", 0.15), wall)
    for x in range(0, c.width, 32):
        c.box(x, 0, x + 15, y, mix(wall, "#ffffff", 0.13))
    c.gradient(y, c.height, floor, mix(floor, "#000000", 0.15))
    c.box(0, y - 4, c.width, y + 2, mix(wall, "#ffffff", 0.6))


def window(
    c: Canvas, x: float, y: float, w: float, h: float, outside: Color, snow: bool = False
) -> None:
    c.box(x - 5, y - 5, x + w + 5, y + h + 5, "#fdf8ee", 2)
    c.box(x, y, x + w, y + h, outside)
    if snow:
        for _ in range(round(w * h / 120)):
            c.disc(
                c.random.uniform(x + 2, x + w - 2),
                c.random.uniform(y + 2, y + h - 2),
                c.random.uniform(0.8, 1.7),
                "#ffffff",
            )
    c.line([(x + w / 2, y), (x + w / 2, y + h)], "#fdf8ee", 3)
    c.line([(x, y + h / 2), (x + w, y + h / 2)], "#fdf8ee", 3)
    c.box(x - 9, y + h + 4, x + w + 9, y + h + 9, "#efe4d0", 1)


def table(c: Canvas, y: float, cloth: Color, bottom: float | None = None) -> None:
    c.gradient(y, bottom or c.height, cloth, mix(cloth, "#000000", 0.12))
    c.box(0, y, c.width, y + 3, mix(cloth, "#ffffff", 0.5))


def plate(c: Canvas, x: float, y: float, r: float, food: Sequence[Color]) -> None:
    c.oval(x, y + r * 0.07, r * 1.04, r * 0.44, "#b9b4aa")
    c.oval(x, y, r, r * 0.42, "#ffffff")
    c.oval(x, y, r * 0.75, r * 0.3, "#eef0f2")
    for i, fill in enumerate(food):
        c.oval(x + r * 0.42 * (i - (len(food) - 1) / 2), y - r * 0.08, r * 0.28, r * 0.2, fill)


def glass(c: Canvas, x: float, y: float, h: float, drink: Color = "#f3d77a") -> None:
    c.line([(x, y), (x, y - h * 0.5)], "#eef4f8", 1.4)
    c.oval(x, y, h * 0.16, h * 0.05, "#eef4f8")
    c.poly(
        [
            (x - h * 0.14, y - h),
            (x + h * 0.14, y - h),
            (x + h * 0.05, y - h * 0.45),
            (x - h * 0.05, y - h * 0.45),
        ],
        "#f6fafc",
    )
    c.poly(
        [
            (x - h * 0.11, y - h * 0.82),
            (x + h * 0.11, y - h * 0.82),
            (x + h * 0.04, y - h * 0.48),
            (x - h * 0.04, y - h * 0.48),
        ],
        drink,
    )


def mug(c: Canvas, x: float, y: float, s: float, fill: Color) -> None:
    c.arc(x + s * 0.8, y - s * 0.7, s * 0.45, 0, 360, fill, s * 0.2)
    c.box(x - s * 0.75, y - s * 1.4, x + s * 0.75, y, fill, s * 0.2)
    c.oval(x, y - s * 1.38, s * 0.75, s * 0.22, mix(fill, "#ffffff", 0.5))
    c.oval(x, y - s * 1.36, s * 0.62, s * 0.16, "#6b4226")
    for dx in (-0.3, 0.05, 0.32):
        c.oval(x + dx * s, y - s * 1.4, s * 0.17, s * 0.1, "#fff6ea")
    for dx in (-0.2, 0.2):
        c.glow(x + dx * s, y - s * 2.2, s * 0.9, "#ffffff", 0.4)


def cake(
    c: Canvas,
    x: float,
    y: float,
    w: float,
    candles: int,
    icing: Color,
    lit: bool = True,
    tiers: int = 1,
) -> None:
    c.oval(x, y + 2, w * 0.68, w * 0.1, "#e9e4da")
    for t in range(tiers):
        half, h = w * (0.5 - 0.14 * t), w * 0.34
        top = y - h * (t + 1)
        c.box(x - half, top, x + half, top + h, mix(icing, "#ffffff", 0.55), 3)
        c.box(x - half, top + h * 0.55, x + half, top + h * 0.7, icing)
        c.box(x - half, top - 1, x + half, top + h * 0.22, icing, 3)
        for i in range(7):
            c.disc(x - half + half * 2 * (i + 0.5) / 7, top + h * 0.22, half / 7, icing)
    top = y - w * 0.34 * tiers
    half = w * (0.5 - 0.14 * (tiers - 1))
    for i in range(candles):
        cx = x - half * 0.8 + half * 1.6 * (i + 0.5) / candles
        fill = ("#ff6f91", "#4aa3d9", "#f9b233", "#6bbf73")[i % 4]
        c.box(cx - w * 0.014 - 0.6, top - w * 0.22, cx + w * 0.014 + 0.6, top, fill)
        if lit:
            c.glow(cx, top - w * 0.28, w * 0.14, "#ffe08a", 0.8)
            c.oval(cx, top - w * 0.28, w * 0.022 + 0.6, w * 0.05, "#ffb02e")
            c.oval(cx, top - w * 0.265, w * 0.012 + 0.3, w * 0.025, "#fff7d0")


def balloon(c: Canvas, x: float, y: float, r: float, fill: Color, to: Point | None = None) -> None:
    end = to or (x + r * 0.2, y + r * 4)
    c.line([(x, y + r * 1.2), ((x + end[0]) / 2 + r * 0.25, (y + end[1]) / 2), end], "#8a8a92", 0.7)
    c.oval(x, y, r, r * 1.2, fill)
    c.poly([(x, y + r * 1.1), (x - r * 0.2, y + r * 1.4), (x + r * 0.2, y + r * 1.4)], fill)
    c.oval(x - r * 0.35, y - r * 0.45, r * 0.2, r * 0.3, mix(fill, "#ffffff", 0.65))


def bunting(c: Canvas, y: float, sag: float, colors: Sequence[Color]) -> None:
    n = 11
    at = [(c.width * i / n, y + sag * math.sin(math.pi * i / n)) for i in range(n + 1)]
    c.line(at, "#8a7a6a", 1)
    for i in range(n):
        (x0, y0), (x1, y1) = at[i], at[i + 1]
        c.poly(
            [(x0 + 3, y0), (x1 - 3, y1), ((x0 + x1) / 2, (y0 + y1) / 2 + 20)],
            colors[i % len(colors)],
        )


def bulbs(c: Canvas, y: float, sag: float, color: Color = "#ffd97a") -> None:
    at = [(c.width * i / 14, y + sag * math.sin(math.pi * (i % 7) / 7)) for i in range(15)]
    c.line(at, "#4a4038", 0.9)
    for x, dy in at:
        c.glow(x, dy + 4, 13, color, 0.7)
        c.disc(x, dy + 4, 2.4, "#fff6d6")


def present(c: Canvas, x: float, y: float, s: float, fill: Color, ribbon: Color) -> None:
    c.box(x - s, y - s * 1.4, x + s, y, fill, 1.5)
    c.box(x - s * 1.08, y - s * 1.55, x + s * 1.08, y - s * 1.15, mix(fill, "#ffffff", 0.2), 1.5)
    c.box(x - s * 0.16, y - s * 1.55, x + s * 0.16, y, ribbon)
    for side in (-1, 1):
        c.oval(x + side * s * 0.36, y - s * 1.75, s * 0.34, s * 0.2, ribbon)
    c.disc(x, y - s * 1.65, s * 0.15, mix(ribbon, "#000000", 0.15))


def xmas_tree(c: Canvas, x: float, y: float, h: float) -> None:
    pine(c, x, y, h, "#2a6a47")
    c.glow(x, y - h * 0.55, h * 0.6, "#ffd97a", 0.22)
    for i in range(22):
        v = c.random.uniform(0.16, 0.9)
        u = c.random.uniform(-0.26, 0.26) * (1.08 - v)
        fill = ("#e8505b", "#f9b233", "#6fb7e8", "#fff3c4")[i % 4]
        c.disc(x + u * h, y - v * h, h * 0.019, fill)
    points = [
        (math.sin(math.pi * i / 5), math.cos(math.pi * i / 5), 1 if i % 2 == 0 else 0.45)
        for i in range(10)
    ]
    c.glow(x, y - h, h * 0.17, "#ffe98a", 0.8)
    c.poly([(x + u * k * h * 0.075, y - h - v * k * h * 0.075) for u, v, k in points], "#ffd23f")


def fireplace(c: Canvas, x: float, y: float, s: float) -> None:
    c.box(x - s * 1.3, y - s * 1.9, x + s * 1.3, y, "#a65a45")
    for row in range(7):
        for i in range(5):
            bx = x - s * 1.25 + i * s * 0.54 - (row % 2) * s * 0.2
            c.box(
                max(bx, x - s * 1.3),
                y - s * (1.85 - row * 0.27),
                min(bx + s * 0.46, x + s * 1.3),
                y - s * (1.66 - row * 0.27),
                "#b96b54",
                1,
            )
    c.box(x - s * 0.8, y - s * 1.15, x + s * 0.8, y, "#33231f", s * 0.15)
    campfire(c, x, y - s * 0.05, s * 0.38)
    c.box(x - s * 1.5, y - s * 2.1, x + s * 1.5, y - s * 1.85, "#7a5236", 2)
    for i, fill in enumerate(("#d0312d", "#2f7d4f", "#d0312d", "#3a6ea5")):
        sx = x - s * 1.05 + i * s * 0.7
        c.box(sx - s * 0.13, y - s * 1.85, sx + s * 0.13, y - s * 1.35, fill, s * 0.05)
        c.oval(sx + s * 0.12, y - s * 1.35, s * 0.24, s * 0.14, fill)
        c.box(sx - s * 0.17, y - s * 1.88, sx + s * 0.17, y - s * 1.72, "#ffffff", s * 0.05)


def stage(c: Canvas, lights: Sequence[Color], floor: float = 168) -> None:
    c.gradient(0, c.height, "#140f2e", "#2d1b4e")
    for i, fill in enumerate(lights):
        x = c.width * (i + 0.5) / len(lights)
        aim = c.width / 2 + (x - c.width / 2) * 0.35
        c.beam(
            [(x - 3, 12), (x + 3, 12), (aim + 36, floor + 10), (aim - 36, floor + 10)], fill, 0.33
        )
        c.glow(x, 12, 22, fill, 0.9)
        c.box(x - 6, 4, x + 6, 13, "#0b0917", 2)
    c.box(0, 2, c.width, 5, "#0b0917")
    c.gradient(floor, c.height, "#5b3b63", "#1d1230")


def guitar(c: Canvas, x: float, y: float, s: float, fill: Color = "#d9822b") -> None:
    c.line([(x, y), (x + s * 2.1, y - s * 1.0)], "#5a3a22", s * 0.2)
    c.line([(x + s * 2.1, y - s * 1.0), (x + s * 2.45, y - s * 1.17)], "#2b1b12", s * 0.36)
    c.disc(x - s * 0.35, y + s * 0.17, s * 0.62, fill)
    c.disc(x + s * 0.3, y - s * 0.14, s * 0.46, fill)
    c.disc(x + s * 0.05, y, s * 0.2, "#3a2416")


def drums(c: Canvas, x: float, y: float, s: float) -> None:
    for dx, dy, r in ((-1.15, -1.9, 0.75), (1.2, -2.1, 0.8)):
        c.line([(x + dx * s, y), (x + dx * s, y + dy * s)], "#b9bcc4", 1.2)
        c.oval(x + dx * s, y + dy * s, r * s, r * s * 0.18, "#f0c95a")
    for dx in (-0.55, 0.55):
        c.box(
            x + dx * s - s * 0.45,
            y - s * 1.7,
            x + dx * s + s * 0.45,
            y - s * 1.1,
            "#c8324a",
            s * 0.1,
        )
        c.oval(x + dx * s, y - s * 1.7, s * 0.45, s * 0.13, "#f6f1ea")
    c.disc(x, y - s * 0.7, s * 0.75, "#8f1f35")
    c.disc(x, y - s * 0.7, s * 0.62, "#f6f1ea")
    c.disc(x, y - s * 0.7, s * 0.2, "#c8324a")


def bouquet(c: Canvas, x: float, y: float, s: float) -> None:
    c.poly([(x - s * 0.3, y), (x + s * 0.3, y), (x, y + s * 1.3)], "#6fa35a")
    for i in range(8):
        turn = math.pi * i / 4
        c.disc(
            x + s * 0.5 * math.cos(turn),
            y - s * 0.2 + s * 0.4 * math.sin(turn),
            s * 0.33,
            ("#fbd0dc", "#ffffff", "#f2879f")[i % 3],
        )
    c.disc(x, y - s * 0.2, s * 0.34, "#ffffff")


def flower_arch(c: Canvas, x: float, y: float, r: float) -> None:
    for side in (-1, 1):
        c.line([(x + side * r, y), (x + side * r, y - r)], "#7fae6a", 5)
    c.arc(x, y - r, r + 2.5, 180, 360, "#7fae6a", 5)
    for i in range(40):
        t = i / 39
        if t < 0.25 or t > 0.75:
            side = -1 if t < 0.25 else 1
            px, py = x + side * r, y - r * (min(t, 1 - t) * 4)
        else:
            turn = math.pi * (1 + (t - 0.25) * 2)
            px, py = x + r * math.cos(turn), y - r + r * math.sin(turn)
        fill = c.random.choice(["#ffffff", "#f7b8cb", "#f2879f", "#fff1c9"])
        c.disc(
            px + c.random.uniform(-4, 4),
            py + c.random.uniform(-4, 4),
            c.random.uniform(3, 5.2),
            fill,
        )


def cone(c: Canvas, x: float, y: float, s: float, scoop: Color) -> None:
    c.poly([(x - s * 0.5, y), (x + s * 0.5, y), (x, y + s * 1.6)], "#dba65b")
    c.disc(x, y - s * 0.3, s * 0.62, scoop)
    c.disc(x - s * 0.18, y - s * 0.5, s * 0.16, mix(scoop, "#ffffff", 0.6))


def tossed_cap(c: Canvas, x: float, y: float, s: float, tilt: float) -> None:
    def at(u: float, v: float) -> Point:
        t = math.radians(tilt)
        return x + s * (u * math.cos(t) - v * math.sin(t)), y + s * (
            u * math.sin(t) + v * math.cos(t)
        )

    c.poly([at(-0.6, 0), at(0.6, 0), at(0.55, 0.6), at(-0.55, 0.6)], "#171a22")
    c.poly([at(-1.2, 0), at(0, -0.5), at(1.2, 0), at(0, 0.5)], "#2c3240")
    c.line([at(0, 0), at(1.0, 0.2), at(1.1, 0.9)], "#f0c040", 1.3)


def trophy(c: Canvas, x: float, y: float, s: float) -> None:
    for side in (-1, 1):
        c.arc(x + side * s * 0.5, y - s * 1.4, s * 0.35, 0, 360, "#d9a520", s * 0.12)
    c.box(x - s * 0.5, y - s * 1.9, x + s * 0.5, y - s * 1.4, "#f5c93b")
    c.slice(x, y - s * 1.42, s * 0.5, 0, 180, "#f5c93b")
    c.line([(x, y - s), (x, y - s * 0.4)], "#d9a520", s * 0.2)
    c.box(x - s * 0.45, y - s * 0.4, x + s * 0.45, y, "#7a4a2a", s * 0.08)


# --- the album -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shot:
    """One photo: how it is drawn, and what its camera and its owner's phone wrote about it.

    ``at`` without an offset is a camera that knows no time zone; an empty ``at`` is a picture
    without any EXIF. ``takeout`` is the description in a Google Takeout sidecar; None: no sidecar.
    """

    path: str
    draw: Callable[[Canvas], None]
    at: str
    place: str
    size: tuple[int, int]
    orientation: int
    description: str
    takeout: str | None


SHOTS: list[Shot] = []
BOILERPLATE = "OLYMPUS DIGITAL CAMERA"


def photo(
    path: str,
    at: str = "",
    place: str = "",
    *,
    size: tuple[int, int] = LANDSCAPE,
    orientation: int = 1,
    description: str = "",
    takeout: str | None = None,
) -> Callable[[Callable[[Canvas], None]], Callable[[Canvas], None]]:
    """Register the function below as the drawing of this photo."""

    def register(draw: Callable[[Canvas], None]) -> Callable[[Canvas], None]:
        SHOTS.append(Shot(path, draw, at, place, size, orientation, description, takeout))
        return draw

    return register


NEW_YEAR = "year/2024-01-01_new_year"


@photo(f"{NEW_YEAR}/IMG_20231231_221804.jpg", "2023-12-31T22:18:04+00:00", "home")
def party_table(c: Canvas) -> None:
    room(c, "#4b5b8c", "#7a5236")
    c.disc(160, 48, 31, "#fdf8ee")
    c.arc(160, 48, 31, 0, 360, "#d9a520", 3)
    for i in range(12):
        turn = math.pi * i / 6
        c.disc(160 + 25 * math.cos(turn), 48 + 25 * math.sin(turn), 1.4, "#3a3f55")
    c.line([(160, 48), (150, 37)], "#3a3f55", 2.4)
    c.line([(160, 48), (170, 26)], "#3a3f55", 1.6)
    person(c, TOM, 66, 232, 140, WAVE, hat="paper crown")
    person(c, ROSA, 158, 234, 140, HUG)
    person(c, replace(NORA, top="#b23a6b"), 250, 232, 136, (150, 14), hat="party")
    table(c, 190, "#f4ead8")
    for x in (40, 112, 205, 284):
        glass(c, x, 216, 40)
    plate(c, 75, 222, 26, ["#d9a05b", "#8fbf6a"])
    plate(c, 244, 222, 26, ["#e8b24a", "#c85a4a", "#8fbf6a"])
    confetti(c, 0, 235, 55, ["#f9b233", "#e8505b", "#6fb7e8", "#ffffff"])


@photo(f"{NEW_YEAR}/IMG_20240101_000012.jpg", "2024-01-01T00:00:12+00:00", "harbour")
def midnight(c: Canvas) -> None:
    night(c)
    firework(c, 82, 58, 44, "#ff6f61")
    firework(c, 168, 40, 34, "#ffd23f")
    firework(c, 250, 66, 48, "#5ec8f2")
    skyline(c, 166, "#141c36", "#ffdf91")
    water(c, 166, 240, "#24336b", "#0e1636", 30)
    for x, fill in ((82, "#ff6f61"), (168, "#ffd23f"), (250, "#5ec8f2")):
        c.glow(x, 202, 34, fill, 0.4)


@photo(
    f"{NEW_YEAR}/IMG_20240101_000341.jpg",
    "2024-01-01T00:03:41+00:00",
    "harbour",
    size=PORTRAIT,
    orientation=6,
)
def watching_up(c: Canvas) -> None:
    night(c, "#1a0f3a", "#5a3a78")
    firework(c, 120, 82, 66, "#f7a8d8", 24)
    firework(c, 48, 150, 30, "#8ef0b0")
    firework(c, 200, 164, 34, "#ffd23f")
    c.gradient(262, 320, "#1c1838", "#0d0b1e")
    for who, x, arms in ((TOM, 70, DOWN), (LEO, 118, UP), (NORA, 164, DOWN)):
        person(
            c,
            replace(who, skin="#4a3a5c", hair="#1c1430", top="#1f1838", bottom="#17122c"),
            x,
            304,
            108,
            arms,
            hat="",
            back=True,
        )


@photo(f"{NEW_YEAR}/IMG_20240101_001120.jpg", "2024-01-01T00:11:20+00:00", "harbour")
def sparklers(c: Canvas) -> None:
    night(c, "#0d1533", "#2c3a66")
    skyline(c, 150, "#18213f", "#ffdf91")
    c.gradient(150, 240, "#2a3358", "#151b33")
    left = person(c, replace(LEO, top="#d9534f"), 110, 226, 168, (125, 30), hat="beanie")
    right = person(c, replace(MAYA, top="#3d8f86"), 205, 228, 150, (30, 128))
    sparkle(c, left[0][0] - 6, left[0][1] - 14, 16)
    sparkle(c, right[1][0] + 6, right[1][1] - 14, 16)


@photo(f"{NEW_YEAR}/IMG_20240101_112530.jpg", "2024-01-01T11:25:30+00:00", "harbour")
def first_walk(c: Canvas) -> None:
    c.gradient(0, 150, "#c3d5e6", "#f3ece0")
    c.glow(60, 70, 60, "#fff1c4", 0.9)
    x = 0
    for fill in ("#e8b4a0", "#f2d38b", "#a9cbb7", "#d99a9a", "#b6c4e0", "#f0c9a0", "#9fc0c9"):
        c.box(x, 84, x + 44, 150, fill)
        c.poly([(x, 84), (x + 44, 84), (x + 22, 66)], mix(fill, "#7a4a3a", 0.5))
        for wx in (x + 8, x + 27):
            c.box(wx, 94, wx + 9, 106, "#fdf8ee")
            c.box(wx, 118, wx + 9, 130, "#fdf8ee")
        x += 46
    water(c, 150, 190, "#8fb3cb", "#6d97b5")
    boat(c, 258, 184, 17)
    c.gradient(190, 240, "#d8d4cc", "#b7b1a6")
    person(c, replace(HAL, top="#5a6b4a"), 88, 226, 104, HUG, hat="beanie")
    person(c, replace(ROSA, top="#7a4a8b"), 130, 226, 104, DOWN)
    dog(c, 190, 226, 15)


SNOW = "year/2024-02-10_snow"


@photo(
    f"{SNOW}/PXL_20240210_093311.jpg",
    "2024-02-10T09:33:11+00:00",
    "snow hill",
    takeout="Our snowman got my good scarf and the last carrot in the house.",
)
def builds_snowman(c: Canvas) -> None:
    snowfield(c)
    snowman(c, 190, 224, 28)
    person(c, replace(LEO, top="#3a7fc1"), 108, 226, 150, (20, 95), hat="beanie")
    person(c, replace(MAYA, top="#d98a3a"), 264, 228, 118, WAVE)
    snowfall(c, 60)


@photo(
    f"{SNOW}/PXL_20240210_101947.jpg",
    "2024-02-10T10:19:47+00:00",
    "snow hill",
    takeout="Third time down the hill, first time without falling off the sledge!",
)
def sledging(c: Canvas) -> None:
    c.gradient(0, 240, "#8fbce2", "#e4eff8")
    c.poly([(0, 86), (320, 200), (320, 240), (0, 240)], "#f6fafe")
    c.poly([(0, 150), (320, 226), (320, 240), (0, 240)], "#dfeaf4")
    for x, y in ((36, 98), (92, 118), (268, 178)):
        pine(c, x, y, 58, "#4d7d70", snow=True)
    c.line([(124, 148), (206, 177), (218, 172)], "#8a4a2a", 5)
    person(c, replace(LEO, top="#d9534f"), 184, 176, 96, UP, hat="beanie")
    person(c, replace(TOM, top="#3f6a8a"), 148, 168, 88, OUT, hat="beanie")
    for i in range(14):
        c.disc(
            112 - i * 5 + c.random.uniform(-5, 5),
            150 - i * 1.3 + c.random.uniform(-8, 4),
            c.random.uniform(1.5, 3.6),
            "#ffffff",
        )


@photo(f"{SNOW}/PXL_20240210_104502.jpg", "2024-02-10T10:45:02+00:00", "snow hill", takeout="")
def snowballs(c: Canvas) -> None:
    snowfield(c, 126)
    person(c, replace(TOM, top="#6a4c93"), 70, 222, 122, (30, 140), hat="beanie")
    person(c, replace(NORA, top="#d9534f"), 246, 222, 118, (140, 60))
    for x, y, r in ((132, 96, 6), (168, 84, 5), (206, 110, 6)):
        c.disc(x, y, r, "#ffffff")
        c.arc(x, y, r, 20, 150, "#bcd0e2", 1.2)
    dog(c, 158, 222, 17)
    snowfall(c, 40)


@photo(
    f"{SNOW}/PXL_20240210_121518.jpg",
    "2024-02-10T12:15:18+00:00",
    "home",
    takeout="Hot chocolate afterwards. Nobody could feel their toes.",
)
def cocoa(c: Canvas) -> None:
    room(c, "#d8b48a", "#8a5a3a", 150)
    window(c, 108, 22, 106, 92, "#a9cbe6", snow=True)
    table(c, 158, "#a86b42")
    for x, y, fill in (
        (66, 206, "#d9534f"),
        (136, 216, "#3d8f86"),
        (204, 206, "#f2b632"),
        (268, 218, "#6a4c93"),
    ):
        mug(c, x, y, 24, fill)


@photo(f"{SNOW}/PXL_20240210_155820.jpg", "2024-02-10T15:58:20+00:00", "home", takeout="")
def house_in_snow(c: Canvas) -> None:
    c.gradient(0, 190, "#7d8fc0", "#f3cdb8")
    hills(c, 172, 34, "#c5d0e6")
    c.box(96, 96, 226, 196, "#c9705a")
    c.poly([(82, 100), (240, 100), (161, 48)], "#f8fbff")
    c.box(192, 50, 208, 84, "#8f4a3c")
    c.glow(203, 36, 20, "#ffffff", 0.6)
    for x in (110, 184):
        c.glow(x + 14, 130, 30, "#ffd97a", 0.6)
        window(c, x, 116, 28, 28, "#ffe49a")
    c.box(148, 148, 174, 196, "#4a6b5a", 2)
    c.gradient(190, 240, "#f6f8fd", "#ccd8ec")
    pine(c, 46, 204, 90, snow=True)
    pine(c, 280, 210, 106, snow=True)
    snowman(c, 248, 222, 9)
    snowfall(c, 50)


LEO_7 = "year/2024-03-16_leo_turns_seven"
PARTY = ["#ff6f91", "#4aa3d9", "#f9b233", "#6bbf73", "#a06cd5"]


@photo(f"{LEO_7}/IMG_20240316_140510.jpg", "2024-03-16T14:05:10+00:00", "home")
def blows_candles(c: Canvas) -> None:
    room(c, "#8fd0d6", "#c99b6b")
    bunting(c, 8, 22, PARTY)
    person(c, SAM, 62, 236, 168, HUG, hat="party")
    person(c, LEO, 160, 238, 172, HUG, hat="party")
    person(c, MEI, 256, 236, 168, UP, hat="party")
    table(c, 194, "#fdf3e4")
    cake(c, 160, 228, 84, 7, "#ff8fab")
    for x in (46, 274):
        plate(c, x, 216, 24, ["#f7c59f", "#ff8fab"])


@photo(f"{LEO_7}/IMG_20240316_140822.jpg", "2024-03-16T14:08:22+00:00", "home")
def cake_close(c: Canvas) -> None:
    room(c, "#f6c6a0", "#c99b6b", 150)
    for i, x in enumerate((30, 74, 252, 294)):
        balloon(c, x, 52 + 18 * (i % 2), 20, PARTY[i])
    table(c, 168, "#7fb7d6")
    cake(c, 160, 218, 176, 7, "#6bbf73")
    for i in range(7):
        c.disc(92 + i * 23, 194, 4, PARTY[i % 5])


@photo(f"{LEO_7}/IMG_20240316_143350.jpg", "2024-03-16T14:33:50+00:00", "home")
def presents(c: Canvas) -> None:
    room(c, "#c5b3e6", "#b98a5f")
    window(c, 28, 30, 70, 72, "#a8dcf5")
    for i, (x, y) in enumerate(((226, 40), (258, 62), (290, 38))):
        balloon(c, x, y, 19, PARTY[i], (260, 190))
    person(c, LEO, 162, 212, 150, UP)
    for x, y, s, fill, ribbon in (
        (72, 216, 27, "#4aa3d9", "#fff1c9"),
        (112, 230, 18, "#f9b233", "#d9534f"),
        (228, 222, 30, "#6bbf73", "#ffffff"),
        (280, 232, 20, "#ff6f91", "#fff1c9"),
    ):
        present(c, x, y, s, fill, ribbon)


@photo(f"{LEO_7}/IMG_20240316_150141.jpg", "2024-03-16T15:01:41+00:00", "home")
def new_bike(c: Canvas) -> None:
    meadow(c, 118)
    c.box(0, 120, 320, 156, "#b98a5f")
    for x in range(0, 320, 16):
        c.box(x, 114, x + 13, 156, "#cfa274", 3)
    c.gradient(156, 240, "#8ac76c", "#67a552")
    person(c, LEO, 176, 204, 118, HUG, hat="beanie")
    bicycle(c, 172, 222, 46, "#e8505b")
    balloon(c, 262, 92, 17, "#f9b233", (208, 138))
    dog(c, 62, 222, 17)


@photo(f"{LEO_7}/IMG_20240316_152806.jpg", "2024-03-16T15:28:06+00:00", "home")
def balloon_garden(c: Canvas) -> None:
    meadow(c, 128)
    for i, (x, who) in enumerate(((52, BEN), (124, MEI), (196, LEO), (268, SAM))):
        hands = person(c, who, x, 222, 138, WAVE, hat="party")
        balloon(c, x + 18 + 6 * (-1) ** i, 70 - 12 * (i % 2), 19, PARTY[i], hands[1])
    flowers(c, 224, 238, 24, ["#ffffff", "#f9b233", "#ff8fab"])


@photo(f"{LEO_7}/received_1710601.jpg")
def musical_chairs(c: Canvas) -> None:
    room(c, "#f2d38b", "#a9744a")
    bunting(c, 6, 18, PARTY)
    for x in (92, 160, 228):
        c.box(x - 17, 148, x + 17, 190, "#c9705a", 3)
        c.box(x - 19, 190, x + 19, 198, "#a8543f", 2)
        for dx in (-15, 15):
            c.line([(x + dx, 198), (x + dx, 222)], "#8a4433", 4)
    for x, who in ((50, MEI), (126, LEO), (196, BEN), (270, SAM)):
        person(c, who, x, 232, 130, (60, 110), step=3)


MOUNTAINS = "year/2024-04-20_mountain_weekend"


def peaks(c: Canvas, sky: tuple[Color, Color] = ("#79b8ea", "#e8f3fa")) -> None:
    c.gradient(0, 170, *sky)
    cloud(c, 66, 34, 14)
    cloud(c, 262, 52, 11)
    mountain(c, 60, 176, 110, 96, "#8fa0bd")
    mountain(c, 262, 176, 130, 116, "#7f92b3")
    mountain(c, 160, 180, 120, 136, "#6a7fa3")
    hills(c, 184, 26, "#7da56a")


@photo(f"{MOUNTAINS}/P4200012.jpg", "2024-04-20T09:41:37", description=BOILERPLATE)
def path_up(c: Canvas) -> None:
    peaks(c)
    c.gradient(182, 240, "#8cb56c", "#5f8f50")
    c.poly([(120, 240), (206, 240), (172, 196), (184, 178), (178, 178), (158, 197)], "#d8c49a")
    for x, who, tall in ((134, TOM, 96), (188, MAYA, 92), (232, LEO, 96)):
        person(c, who, x, 230, tall, (20, 30), back=True, step=2)
        h = tall * who.size
        c.box(
            x - h * 0.13,
            230 - h * 0.7,
            x + h * 0.13,
            230 - h * 0.42,
            "#e0663a" if who is TOM else "#3a7fc1",
            4,
        )
    pine(c, 34, 224, 84)
    pine(c, 290, 216, 66)


@photo(f"{MOUNTAINS}/P4200031.jpg", "2024-04-20T13:05:52", description=BOILERPLATE)
def summit(c: Canvas) -> None:
    c.gradient(0, 240, "#5fa8e6", "#e3f1fa")
    for x, h, fill in (
        (40, 60, "#a5b5ce"),
        (140, 84, "#97a9c6"),
        (250, 70, "#a5b5ce"),
        (310, 90, "#8ea2c2"),
    ):
        mountain(c, x, 200, 110, h, fill)
    c.poly([(0, 240), (60, 206), (160, 182), (262, 204), (320, 240)], "#7a7f86")
    c.poly([(160, 182), (262, 204), (320, 240), (190, 240)], "#686d75")
    for i in range(5):
        c.oval(160, 184 - i * 9, 20 - 3.4 * i, 6.5, "#a09a90" if i % 2 else "#b8b2a8")
    person(c, MAYA, 112, 200, 104, UP)
    person(c, TOM, 206, 200, 108, UP)


@photo(
    f"{MOUNTAINS}/P4200040.jpg",
    "2024-04-20T15:20:10",
    description="Sandwiches never taste better than with your boots off by the lake.",
)
def lake(c: Canvas) -> None:
    peaks(c)
    water(c, 166, 212, "#5b9ec4", "#8cc7d6")
    c.poly([(0, 206), (110, 200), (220, 210), (320, 202), (320, 240), (0, 240)], "#86ad64")
    person(c, NORA, 116, 232, 100, HUG, hat="sun")
    person(c, LEO, 164, 232, 100, WAVE)
    dog(c, 220, 232, 15)
    for x in (28, 54, 300):
        pine(c, x, 220, 78)


@photo(f"{MOUNTAINS}/P4200055.jpg", "2024-04-20T18:47:29", description=BOILERPLATE)
def signpost(c: Canvas) -> None:
    peaks(c, ("#f0a878", "#fde6c4"))
    c.gradient(188, 240, "#9a9a58", "#6f7a42")
    c.box(76, 92, 84, 226, "#7a5236", 2)
    for y, way, fill in ((100, 1, "#e9c98f"), (124, -1, "#dcb879"), (148, 1, "#e9c98f")):
        tip = 80 + way * 62
        c.poly(
            [
                (80 - way * 22, y),
                (tip - way * 12, y),
                (tip, y + 9),
                (tip - way * 12, y + 18),
                (80 - way * 22, y + 18),
            ],
            fill,
        )
    person(c, LEO, 176, 228, 124, (20, 100))
    person(c, NORA, 236, 230, 116, DOWN)


@photo(f"{MOUNTAINS}/IMG_20240420_213015.jpg", "2024-04-20T21:30:15+01:00", "mountains")
def camp(c: Canvas) -> None:
    night(c, "#0b1433", "#3d4f86", 110)
    c.disc(272, 40, 15, "#fdf3cf")
    c.disc(265, 36, 13, "#182348")
    for x, h in ((60, 70), (180, 96), (290, 74)):
        mountain(c, x, 172, 120, h, "#26345f", snow=False)
    c.gradient(170, 240, "#24382f", "#131f1c")
    c.glow(92, 196, 66, "#ffd97a", 0.35)
    tent(c, 92, 216, 52, "#e88a3c", lit=True)
    campfire(c, 206, 220, 15)
    person(c, LEO, 246, 224, 92, HUG, hat="beanie")
    person(c, TOM, 280, 224, 88, HUG, hat="beanie")


@photo(
    f"{MOUNTAINS}/IMG_20240421_071844.jpg",
    "2024-04-21T07:18:44+01:00",
    "mountains",
    size=PORTRAIT,
    orientation=8,
)
def sunrise(c: Canvas) -> None:
    c.gradient(0, 240, "#7a8fd0", "#ffd9a8")
    c.glow(120, 168, 110, "#fff0b8", 0.95)
    c.disc(120, 170, 24, "#ffedb0")
    for x, h, fill in ((30, 90, "#8b86b5"), (210, 110, "#7c7aac"), (120, 70, "#6a6b9c")):
        mountain(c, x, 240, 120, h, fill, snow=False)
    c.gradient(238, 320, "#5f7a58", "#3f5a42")
    person(c, replace(MAYA, top="#d9534f"), 120, 300, 112, OUT, back=True)


CUP = "year/2024-05-11_cup_final"
REDS = [
    replace(LEO, top="#d0312d", bottom="#ffffff"),
    replace(SAM, top="#d0312d", bottom="#ffffff"),
    replace(MEI, top="#d0312d", bottom="#ffffff", dress=False, style="pony"),
    replace(BEN, top="#d0312d", bottom="#ffffff"),
]
BLUES = [replace(who, top="#2f6fc4", bottom="#20304f") for who in (BEN, SAM, LEO)]


@photo(f"{CUP}/IMG_20240511_101500.jpg", "2024-05-11T10:15:00+01:00", "pitch")
def kick_off(c: Canvas) -> None:
    pitch(c)
    person(c, REDS[1], 70, 176, 96, HUG, step=4)
    person(c, BLUES[0], 250, 172, 96, HUG, step=4)
    person(c, BLUES[1], 206, 146, 78, DOWN, step=3)
    person(c, REDS[0], 140, 214, 128, (60, 40), step=8)
    ball(c, 184, 206, 10)


@photo(f"{CUP}/IMG_20240511_103912.jpg", "2024-05-11T10:39:12+01:00", "pitch")
def goal_scored(c: Canvas) -> None:
    pitch(c)
    goal(c, 92, 158, 150, 92)
    ball(c, 208, 88, 9)
    person(c, replace(BEN, top="#3aa66a", bottom="#26303a"), 132, 166, 104, (60, 125), step=6)
    person(c, REDS[2], 62, 222, 122, UP, back=True)
    person(c, REDS[0], 244, 226, 126, UP, back=True)


@photo(f"{CUP}/IMG_20240511_110230.jpg", "2024-05-11T11:02:30+01:00", "pitch")
def supporters(c: Canvas) -> None:
    pitch(c)
    for x, who, arms in ((54, HAL, WAVE), (118, NORA, UP), (186, TOM, UP), (262, ROSA, WAVE)):
        hands = person(c, who, x, 242, 142, arms)
        if arms == UP:
            c.line([hands[0], (x, hands[0][1] - 10), hands[1]], "#d0312d", 8)
            c.line([(x - 8, hands[0][1] - 9), (x + 8, hands[0][1] - 9)], "#ffffff", 8)


@photo(f"{CUP}/IMG_20240511_113005.jpg", "2024-05-11T11:30:05+01:00", "pitch")
def muddy_boots(c: Canvas) -> None:
    c.gradient(0, 240, "#7cb95f", "#4f8f40")
    for _ in range(150):
        x, y = c.random.uniform(0, 320), c.random.uniform(0, 240)
        c.line([(x, y), (x + c.random.uniform(-2, 2), y - 6)], "#8fcf70", 1)
    c.oval(150, 190, 128, 34, "#6b5335")
    for x in (86, 166):
        c.box(x - 20, 84, x + 24, 170, "#d0312d", 8)
        c.box(x - 20, 92, x + 24, 100, "#ffffff")
        c.box(x - 26, 152, x + 62, 194, "#22262f", 16)
        c.box(x - 26, 186, x + 62, 197, "#e8e4da", 4)
        for i in range(4):
            c.line([(x + 12 + i * 9, 160 + i * 3), (x + 24 + i * 8, 154 + i * 4)], "#f4f4f4", 2)
        for _ in range(14):
            c.oval(
                x + c.random.uniform(-22, 56),
                c.random.uniform(150, 194),
                c.random.uniform(2, 6),
                c.random.uniform(1.5, 4),
                "#6b5335",
            )
    ball(c, 272, 176, 30)


@photo(f"{CUP}/IMG_20240511_115840.jpg", "2024-05-11T11:58:40+01:00", "pitch")
def lifts_cup(c: Canvas) -> None:
    pitch(c)
    for x, who, arms in ((58, REDS[3], HUG), (118, REDS[2], UP), (248, REDS[1], UP)):
        person(c, who, x, 226, 136, arms)
    hands = person(c, REDS[0], 184, 228, 140, (165, 165))
    trophy(c, 184, hands[0][1] + 4, 24)
    confetti(c, 10, 150, 60, ["#d0312d", "#ffffff", "#f5c93b"])


@photo(f"{CUP}/IMG_20240511_121522.jpg", "2024-05-11T12:15:22+01:00", "pitch", size=PORTRAIT)
def with_grandpa(c: Canvas) -> None:
    c.gradient(0, 190, "#86c9f2", "#e2f3fb")
    for x in (20, 78, 150, 214):
        tree(c, x, 196, 110)
    c.gradient(192, 320, "#7cc25f", "#559a43")
    person(c, replace(HAL, top="#d0312d"), 86, 304, 170, (14, 50))
    person(c, REDS[0], 164, 304, 168, HUG)
    ball(c, 208, 292, 12)


WEDDING = "year/2024-06-22_june_and_amir"
BRIDE = replace(JUNE, top="#ffffff", bottom="#f4f0ea")
GROOM = replace(AMIR, top="#2f3b52", bottom="#2f3b52")


def couple(c: Canvas, x: float, feet: float, tall: float) -> None:
    person(c, GROOM, x + tall * 0.17, feet, tall, (36, 14))
    c.poly(
        [
            (x + tall * 0.11, feet - tall * 0.66),
            (x + tall * 0.23, feet - tall * 0.66),
            (x + tall * 0.17, feet - tall * 0.48),
        ],
        "#ffffff",
    )
    c.disc(x + tall * 0.25, feet - tall * 0.6, tall * 0.02, "#f2879f")
    hands = person(
        c, BRIDE, x - tall * 0.17, feet, tall * 0.95, (14, 36), hat="flowers", gown="#ffffff"
    )
    c.poly(
        [
            (x - tall * 0.25, feet - tall * 0.66),
            (x - tall * 0.09, feet - tall * 0.66),
            (x - tall * 0.13, feet - tall * 0.4),
            (x - tall * 0.21, feet - tall * 0.4),
        ],
        "#f7f4f0",
    )
    bouquet(c, hands[1][0] - tall * 0.08, hands[1][1] - tall * 0.04, tall * 0.1)


@photo(
    f"{WEDDING}/DSC_0118.jpg",
    "2024-06-22T13:02:44",
    "manor",
    description="The exact moment she said yes and the registrar lost her page.",
)
def vows(c: Canvas) -> None:
    meadow(c, 128)
    flower_arch(c, 160, 212, 66)
    couple(c, 160, 216, 126)
    for side in (-1, 1):
        for i in range(3):
            x = 160 + side * (92 + 26 * i)
            c.box(x - 9, 196 + 8 * i, x + 9, 216 + 8 * i, "#fdfaf3", 2)
            c.box(x - 9, 178 + 8 * i, x + 9, 196 + 8 * i, "#efe7d8", 3)
    flowers(c, 222, 238, 40, ["#ffffff", "#f7b8cb", "#f2879f"])


@photo(f"{WEDDING}/DSC_0131.jpg", "2024-06-22T13:31:09", "manor")
def confetti_walk(c: Canvas) -> None:
    meadow(c, 130)
    c.poly([(118, 240), (206, 240), (176, 150), (150, 150)], "#efe2c6")
    for x, who in ((30, KOFI), (76, ROSA), (246, LIV), (292, HAL)):
        person(c, who, x, 222, 108, (50, 130) if x < 160 else (130, 50))
    couple(c, 160, 228, 124)
    confetti(c, 20, 220, 120, ["#ffffff", "#f7b8cb", "#f9d976", "#bfe3c0", "#c9b8ee"])


@photo(
    f"{WEDDING}/DSC_0142.jpg",
    "2024-06-22T14:10:51",
    "manor",
    size=PORTRAIT,
    description="Mum made them stand by the big door three times before she was happy.",
)
def at_the_manor(c: Canvas) -> None:
    c.gradient(0, 240, "#8cc8ee", "#eef6fa")
    c.box(14, 70, 226, 262, "#dbc8a2")
    c.poly([(6, 72), (234, 72), (120, 18)], "#8a6a5a")
    for x in (32, 92, 130, 188):
        window(c, x, 96, 20, 34, "#9fb8cc")
    c.slice(120, 196, 28, 180, 360, "#6b4a32")
    c.box(92, 196, 148, 262, "#6b4a32")
    for x in (40, 200):
        for _ in range(26):
            c.disc(
                x + c.random.uniform(-16, 16),
                c.random.uniform(150, 262),
                c.random.uniform(3, 6),
                c.random.choice(["#6fa35a", "#7fb56a", "#f2879f"]),
            )
    c.gradient(260, 320, "#d9ccb0", "#bcae90")
    couple(c, 120, 304, 146)


@photo(f"{WEDDING}/DSC_0166.jpg", "2024-06-22T16:45:30", "manor")
def wedding_cake(c: Canvas) -> None:
    room(c, "#e8d7dc", "#b98a6a", 160)
    bulbs(c, 16, 20)
    table(c, 190, "#ffffff")
    cake(c, 160, 212, 122, 0, "#f2b8c6", tiers=3)
    for x, y in ((128, 168), (186, 128), (150, 92), (200, 200)):
        bouquet(c, x, y, 7)
    person(c, replace(JUNE, top="#ffffff", bottom="#ffffff"), 156, 91, 26, DOWN, hat="flowers")
    person(c, GROOM, 166, 91, 27, DOWN)
    glass(c, 50, 228, 52, "#f3d77a")
    glass(c, 272, 228, 52, "#f3d77a")


@photo(f"{WEDDING}/DSC_0201.jpg", "2024-06-22T20:38:17", "manor")
def first_dance(c: Canvas) -> None:
    c.gradient(0, 240, "#2c2350", "#7a4a6a")
    stars(c, 70, 40)
    bulbs(c, 28, 18)
    bulbs(c, 62, 14, "#ffb8a8")
    c.glow(160, 206, 120, "#ffd9a0", 0.5)
    c.oval(160, 216, 128, 24, "#a8785a")
    for x, who in ((34, LIV), (72, KOFI), (252, HAL), (290, ROSA)):
        person(c, who, x, 204, 88, HUG)
    couple(c, 160, 226, 134)


@photo(f"{WEDDING}/DSC_0214.jpg", "2024-06-22T21:15:02", "manor")
def bouquet_toss(c: Canvas) -> None:
    c.gradient(0, 240, "#40305f", "#a8627a")
    bulbs(c, 16, 18)
    c.gradient(196, 240, "#8a5f4a", "#6b4638")
    person(c, BRIDE, 62, 226, 128, UP, hat="flowers", gown="#ffffff")
    bouquet(c, 148, 54, 16)
    for x, who, tall in ((190, MAYA, 118), (240, LIV, 116), (288, ADA, 118)):
        person(c, who, x, 228, tall, (150, 165))


@photo(f"{WEDDING}/IMG_20240622_224010.jpg", "2024-06-22T22:40:10+01:00", "manor")
def tables_set(c: Canvas) -> None:
    room(c, "#5a4a6a", "#7a5236", 160)
    bulbs(c, 14, 16)
    table(c, 176, "#fdf6ee")
    for x, fill in ((52, "#f2879f"), (160, "#ffffff"), (268, "#f7b8cb")):
        c.box(x - 9, 176, x + 9, 206, "#b8d4dc", 3)
        bouquet(c, x, 168, 15)
        c.disc(x, 165, 5, fill)
    for x in (96, 118, 206, 228):
        glass(c, x, 222, 44)
    plate(c, 40, 224, 24, ["#f2d9c0"])
    plate(c, 286, 224, 24, ["#f2d9c0"])


MAYA_DAY = "year/2024-07-17_maya_graduates"


@photo(f"{MAYA_DAY}/IMG_20240717_104502.jpg", "2024-07-17T10:45:02+01:00", "university")
def in_front(c: Canvas) -> None:
    c.gradient(0, 180, "#7cc0ee", "#e8f4fa")
    cloud(c, 50, 34, 13)
    university(c, 160, 176, 190, 150)
    c.gradient(182, 240, "#9ccb7c", "#6fa958")
    for x, who in ((58, ADA), (126, MAYA), (196, KOFI), (262, LIV)):
        person(c, who, x, 230, 116, DOWN, hat="mortarboard", gown=GOWN)


@photo(f"{MAYA_DAY}/IMG_20240717_113015.jpg", "2024-07-17T11:30:15+01:00", "university")
def on_stage(c: Canvas) -> None:
    c.gradient(0, 190, "#7a3040", "#a04a52")
    for x in range(0, 320, 20):
        c.box(x, 0, x + 8, 190, "#8f3a48")
    for x in (70, 250):
        c.box(x - 16, 24, x + 16, 120, "#2f4a7a", 2)
        c.disc(x, 62, 11, "#f0c040")
    c.gradient(176, 206, "#c99b6b", "#a87a4c")
    person(
        c, replace(HAL, style="short"), 128, 190, 118, (14, 70), hat="mortarboard", gown="#4a1626"
    )
    hands = person(c, MAYA, 196, 190, 112, (70, 14), hat="mortarboard", gown=GOWN)
    c.box(hands[0][0] - 12, hands[0][1] - 5, hands[0][0] + 12, hands[0][1] + 4, "#fdf6e0", 3)
    c.box(hands[0][0] - 2.5, hands[0][1] - 5, hands[0][0] + 2.5, hands[0][1] + 4, "#d0312d")
    c.gradient(204, 240, "#4a2a2e", "#2a1a20")
    crowd(c, 222, 9, ["#2a1c26", "#3a2730", "#241820"])


@photo(f"{MAYA_DAY}/IMG_20240717_121840.jpg", "2024-07-17T12:18:40+01:00", "university")
def caps_in_air(c: Canvas) -> None:
    c.gradient(0, 240, "#4fa5e6", "#dff0fa")
    cloud(c, 250, 104, 16)
    for x, y, s, tilt in (
        (46, 44, 17, -20),
        (104, 26, 14, 15),
        (160, 58, 20, -8),
        (222, 30, 16, 24),
        (282, 60, 18, -16),
        (74, 92, 12, 30),
        (240, 92, 13, -28),
    ):
        tossed_cap(c, x, y, s, tilt)
    for x, who in (
        (40, LIV),
        (100, KOFI),
        (160, MAYA),
        (220, ADA),
        (280, replace(TOM, beard=False)),
    ):
        person(c, who, x, 262, 132, UP, gown=GOWN)


@photo(
    f"{MAYA_DAY}/IMG_20240717_123355.jpg",
    "2024-07-17T12:33:55+01:00",
    "university",
    size=PORTRAIT,
    orientation=6,
)
def proud_parents(c: Canvas) -> None:
    c.gradient(0, 230, "#8cc8ee", "#eef6fa")
    university(c, 120, 214, 170, 170)
    c.gradient(220, 320, "#9ccb7c", "#6fa958")
    person(c, replace(NORA, top="#e07a9a"), 52, 306, 136, (14, 40))
    person(c, replace(TOM, top="#4a6a9a"), 190, 306, 142, (40, 14))
    hands = person(c, MAYA, 120, 308, 138, HUG, hat="mortarboard", gown=GOWN)
    bouquet(c, 120, hands[0][1] - 8, 13)


@photo(f"{MAYA_DAY}/IMG_20240717_124821.jpg", "2024-07-17T12:48:21+01:00", "university")
def borrowed_cap(c: Canvas) -> None:
    c.gradient(0, 170, "#8cc8ee", "#eef6fa")
    for x in (10, 96, 226, 308):
        tree(c, x, 178, 132)
    c.gradient(170, 240, "#9ccb7c", "#6fa958")
    person(c, LEO, 122, 232, 190, WAVE, hat="mortarboard")
    person(c, replace(MAYA, top="#ffffff", bottom="#3f6aa8"), 212, 234, 158, (60, 14))


@photo(f"{MAYA_DAY}/IMG_20240717_193010.jpg", "2024-07-17T19:30:10+01:00", "harbour")
def toast(c: Canvas) -> None:
    room(c, "#3f6a6a", "#7a5236", 170)
    bulbs(c, 14, 18)
    for x, who, arms in (
        (50, TOM, (14, 120)),
        (122, replace(MAYA, top="#e8b33d"), UP),
        (198, NORA, (120, 14)),
        (270, HAL, (125, 14)),
    ):
        hands = person(c, who, x, 236, 138, arms)
        hand = hands[1] if arms[1] > 100 else hands[0]
        glass(c, hand[0], hand[1] + 6, 30)
    table(c, 196, "#fdf6ee")
    for x in (56, 160, 264):
        plate(c, x, 220, 28, ["#e8a05b", "#8fbf6a", "#c85a4a"])


GRILL = "year/2024-07-28_garden_grill"


@photo(f"{GRILL}/IMG_20240728_131200.jpg", "2024-07-28T13:12:00+01:00", "park")
def tom_grills(c: Canvas) -> None:
    meadow(c, 128)
    tree(c, 40, 184, 120)
    hands = person(c, replace(TOM, top="#f4efe6"), 120, 222, 136, (14, 60))
    c.box(107, 160, 133, 206, "#c8324a", 4)
    c.line([hands[1], (hands[1][0] + 22, hands[1][1] + 12)], "#8a8f99", 3)
    grill(c, 208, 226, 36)
    dog(c, 284, 228, 15, way=-1)


@photo(f"{GRILL}/IMG_20240728_132540.jpg", "2024-07-28T13:25:40+01:00", "park")
def on_the_blanket(c: Canvas) -> None:
    meadow(c, 112)
    tree(c, 280, 160, 110)
    person(c, NORA, 62, 200, 112, WAVE, hat="sun")
    person(c, ROSA, 258, 202, 112, HUG)
    blanket(c, 160, 166, 260, 64, "#d9534f")
    plate(c, 108, 196, 22, ["#8fbf6a", "#e8505b"])
    plate(c, 206, 190, 22, ["#e2b36a", "#d9a05b", "#e2b36a"])
    c.box(138, 164, 176, 188, "#b98a4f", 4)
    c.arc(157, 166, 17, 180, 360, "#8f6432", 3)
    for x in (84, 238):
        c.box(x - 5, 206, x + 5, 222, "#f9b233", 2)


@photo(f"{GRILL}/IMG_20240728_140233.jpg", "2024-07-28T14:02:33+01:00", "park")
def watermelon(c: Canvas) -> None:
    meadow(c, 120)
    for x, who in ((76, LEO), (160, MEI), (244, SAM)):
        hands = person(c, who, x, 236, 178, (20, -20))
        y = hands[0][1] - 22
        c.slice(x, y, 25, 0, 180, "#4f9e4a")
        c.slice(x, y, 22, 0, 180, "#f4f7e0")
        c.slice(x, y, 20, 0, 180, "#ef5b5b")
        for dx, dy in ((-10, 5), (0, 9), (9, 5)):
            c.disc(x + dx, y + dy, 1.3, "#2a1c1c")


@photo(f"{GRILL}/IMG_20240728_143918.jpg", "2024-07-28T14:39:18+01:00", "park")
def sausage_thief(c: Canvas) -> None:
    meadow(c, 110)
    c.box(14, 150, 150, 160, "#b98a5f", 2)
    for x in (30, 134):
        c.line([(x, 160), (x, 212)], "#8f6a45", 6)
    plate(c, 84, 148, 30, ["#a4522f", "#a4522f"])
    dog(c, 214, 226, 40)
    for dx in (0, 22):
        c.line([(276 + dx, 181), (289 + dx, 184)], "#8f3f22", 11)
        c.line([(278 + dx, 179), (287 + dx, 181)], "#c06a40", 2)


@photo(f"{GRILL}/received_1722170.jpg")
def kite_day(c: Canvas) -> None:
    meadow(c, 150, (124, 34))
    hands = person(c, MEI, 90, 226, 118, (20, 140), step=3)
    kite(c, 216, 54, 26, hands[1])
    person(c, LEO, 150, 228, 114, OUT, step=4)
    tree(c, 286, 196, 92)
    flowers(c, 208, 236, 34, ["#ffffff", "#f9b233"])


@photo(f"{GRILL}/IMG_20240728_183344.jpg", "2024-07-28T18:33:44+01:00", "park", size=PORTRAIT)
def evening_game(c: Canvas) -> None:
    c.gradient(0, 220, "#f3a86a", "#fdebc6")
    c.disc(178, 150, 26, "#ffe49a")
    hills(c, 224, 40, "#9a9a5c")
    c.gradient(222, 320, "#8fa858", "#5f7a42")
    person(c, HAL, 72, 298, 122, (14, 145))
    person(c, replace(LEO, top="#e8505b"), 182, 298, 126, (145, 14))
    for x, y in ((92, 176), (158, 196)):
        c.oval(x, y - 12, 9, 12, "#fdf8ee")
        c.line([(x, y), (x, y + 16)], "#8a5a3a", 2.4)
    c.poly([(126, 120), (138, 120), (135, 134), (129, 134)], "#ffffff")
    c.disc(132, 136, 4, "#e8505b")


BEACH = "year/2024-08-14_beach_week"


@photo(
    f"{BEACH}/PXL_20240814_101502.jpg",
    "2024-08-14T10:15:02+02:00",
    "bay",
    takeout="First swim of the holiday. Freezing for two seconds, then perfect.",
)
def first_swim(c: Canvas) -> None:
    shore(c)
    boat(c, 254, 122, 15)
    for x, who in ((96, TOM), (150, LEO)):
        person(c, replace(who, top=who.skin), x, 166, 96, UP)
    water(c, 142, 168, "#5ebccf", "#7ad2d6", 14)
    for x in (96, 150):
        c.oval(x, 142, 22, 4, "#c9f0ef")
    umbrella(c, 250, 224, 40, "#e8505b", "#fff6e6")


@photo(
    f"{BEACH}/PXL_20240814_114020.jpg",
    "2024-08-14T11:40:20+02:00",
    "bay",
    takeout="Four towers, one moat and a flag made from a lolly stick",
)
def sandcastle(c: Canvas) -> None:
    shore(c)
    person(c, replace(LEO, top="#f9b233"), 64, 222, 128, (20, 70), hat="sun")
    castle(c, 176, 224, 30)
    c.poly([(262, 196), (290, 196), (286, 224), (266, 224)], "#e8505b")
    c.arc(276, 197, 14, 180, 360, "#ffffff", 2)
    c.line([(246, 226), (254, 192)], "#3a7fc1", 3)
    c.oval(245, 228, 6, 8, "#3a7fc1")


@photo(
    f"{BEACH}/PXL_20240814_153311.jpg",
    "2024-08-14T15:33:11+02:00",
    "bay",
    size=PORTRAIT,
    orientation=3,
    takeout="",
)
def ice_creams(c: Canvas) -> None:
    c.gradient(0, 180, "#6dbdf0", "#dff3fb")
    water(c, 170, 226, "#2f9fc4", "#7fd6d8", 16)
    c.gradient(224, 320, "#f4dfae", "#e2c68a")
    friends = (
        (82, replace(LEO, top="#3aa6a0"), 0, "#f7a8c4"),
        (162, replace(MEI, top="#f08a3c"), 1, "#a8d8a0"),
    )
    for x, who, side, scoop in friends:
        hands = person(c, who, x, 304, 190, (14, 100) if side else (100, 14), hat="sun")
        cone(c, hands[side][0], hands[side][1] - 12, 15, scoop)


@photo(
    f"{BEACH}/PXL_20240815_120944.jpg",
    takeout="Biscuit has decided that the waves are his personal enemy.",
)
def dog_in_waves(c: Canvas) -> None:
    shore(c)
    dog(c, 166, 196, 34)
    for x in range(0, 320, 22):
        c.slice(x + 11, 196, 15, 180, 360, "#ffffff")
    water(c, 195, 214, "#7fd6d8", "#a5e3e2", 10)
    for _ in range(24):
        c.disc(
            c.random.uniform(90, 260),
            c.random.uniform(130, 190),
            c.random.uniform(1, 2.6),
            "#ffffff",
        )


@photo(
    f"{BEACH}/PXL_20240816_130015.jpg",
    "2024-08-16T13:00:15+02:00",
    "bay",
    takeout="Mum asleep under the umbrella with the book on her face, again",
)
def under_umbrella(c: Canvas) -> None:
    shore(c)
    boat(c, 60, 124, 12, "#ffe49a")
    umbrella(c, 168, 216, 66, "#3a8fc4", "#fff6e6")
    c.poly([(92, 216), (244, 216), (262, 234), (76, 234)], "#f08fb0")
    c.line([(120, 220), (196, 220)], NORA.skin, 9)
    c.box(116, 213, 164, 226, "#3d8f86", 6)
    c.disc(108, 214, 9, NORA.hair)
    c.poly([(98, 204), (110, 199), (121, 204), (110, 210)], "#fdf6e0")
    c.box(270, 206, 298, 228, "#e8505b", 4)
    c.box(270, 206, 298, 211, "#ffffff", 2)


@photo(f"{BEACH}/PXL_20240817_205130.jpg", "2024-08-17T20:51:30+02:00", "bay", takeout="")
def sunset(c: Canvas) -> None:
    shore(c, dusk=True)
    c.glow(160, 104, 70, "#fff0b8", 0.9)
    c.slice(160, 111, 25, 180, 360, "#fff0b0")
    for i in range(6):
        c.line([(160 - 22 + 3 * i, 118 + 8 * i), (160 + 22 - 3 * i, 118 + 8 * i)], "#ffe2a0", 2)
    dark = {"skin": "#5a3a48", "hair": "#2c1c2c", "top": "#3a2638", "bottom": "#33222f"}
    for x, who in ((112, TOM), (148, NORA), (184, LEO), (214, MAYA)):
        person(c, replace(who, **dark), x, 222, 82, (30, 30), back=True)


@photo(f"{BEACH}/PXL_20240818_110721.jpg", "2024-08-18T11:07:21+02:00", "bay", takeout="")
def beach_family(c: Canvas) -> None:
    shore(c)
    umbrella(c, 282, 210, 34, "#6bbf73", "#fff6e6")
    for x, who, hat in (
        (52, replace(TOM, top="#f9b233"), ""),
        (112, replace(NORA, top="#e8505b"), "sun"),
        (168, replace(LEO, top="#3aa6a0"), ""),
        (222, replace(MAYA, top="#ffffff"), "sun"),
    ):
        person(c, who, x, 232, 122, HUG if who.size < 1 else DOWN, hat=hat)


CONCERT = "year/2024-10-12_concert"


@photo(f"{CONCERT}/IMG_20241012_191210.jpg", "2024-10-12T19:12:10+01:00", "concert hall")
def queue(c: Canvas) -> None:
    night(c, "#1b1740", "#6a4a86", 30)
    c.box(60, 40, 260, 182, "#3a2f5a")
    c.box(50, 84, 270, 108, "#f2efe6", 4)
    for i in range(14):
        c.glow(60 + i * 15.4, 96, 9, "#ffd97a", 0.9)
        c.disc(60 + i * 15.4, 96, 2.6, "#ffb02e")
    for x in (92, 146, 200):
        c.box(x, 122, x + 30, 182, "#ffdf91", 2)
        c.line([(x + 15, 122), (x + 15, 182)], "#3a2f5a", 2)
    c.gradient(182, 240, "#3a3450", "#221d36")
    for i, who in enumerate((KOFI, MAYA, LIV, TOM, ADA, NORA)):
        person(c, who, 34 + 50 * i, 228, 92, DOWN if i % 2 else HUG)


@photo(f"{CONCERT}/IMG_20241012_203045.jpg", "2024-10-12T20:30:45+01:00", "concert hall")
def band(c: Canvas) -> None:
    stage(c, ["#ff5fa2", "#5ec8f2", "#ffd23f", "#8ef0b0"])
    drums(c, 160, 168, 22)
    left = person(c, replace(KOFI, top="#d9534f"), 84, 186, 96, FRONT)
    guitar(c, 84, left[0][1] - 2, 15)
    person(c, replace(LIV, top="#f2c53d", bottom="#2b2b3a"), 160, 194, 104, (14, 120))
    right = person(c, replace(AMIR, top="#3d8f86"), 236, 186, 98, FRONT)
    guitar(c, 236, right[0][1] - 2, 15, "#4a9ad4")
    crowd(c, 222, 11, ["#0e0a1c", "#140f26", "#0a0816"], 0.5)


@photo(f"{CONCERT}/IMG_20241012_204712.jpg", "2024-10-12T20:47:12+01:00", "concert hall")
def hands_up(c: Canvas) -> None:
    c.gradient(0, 240, "#3a0f4a", "#e0559a")
    for x, fill in ((60, "#ffd23f"), (160, "#ffffff"), (260, "#5ec8f2")):
        c.glow(x, 66, 84, fill, 0.6)
        c.beam([(x - 4, 0), (x + 4, 0), (x + 60, 190), (x - 60, 190)], fill, 0.18)
    person(
        c,
        replace(LIV, skin="#5a2a58", hair="#2a1030", top="#3a1440", bottom="#2a1030"),
        160,
        160,
        70,
        UP,
    )
    crowd(c, 182, 12, ["#3b1548", "#451a52"], 0.7)
    crowd(c, 216, 17, ["#16081f", "#1d0b28"], 0.8)
    confetti(c, 10, 160, 70, ["#ffd23f", "#ffffff", "#8ef0b0", "#ff9ecb"])


@photo(
    f"{CONCERT}/IMG_20241012_211530.jpg", "2024-10-12T21:15:30+01:00", "concert hall", size=PORTRAIT
)
def slow_song(c: Canvas) -> None:
    c.gradient(0, 320, "#0c0a20", "#241a44")
    c.beam([(112, 0), (128, 0), (196, 270), (44, 270)], "#fff1c9", 0.45)
    c.oval(120, 268, 76, 16, "#6a5a78")
    c.line([(84, 270), (84, 178)], "#b9bcc4", 2)
    c.line([(84, 178), (98, 172)], "#2a2a33", 6)
    hands = person(c, replace(LIV, top="#c8324a"), 124, 274, 150, FRONT)
    guitar(c, 124, hands[0][1], 24)
    crowd(c, 300, 12, ["#0a0816", "#100c1e"], 0.2)


@photo(f"{CONCERT}/IMG_20241012_213320.jpg", "2024-10-12T21:33:20+01:00", "concert hall")
def drummer(c: Canvas) -> None:
    stage(c, ["#5ec8f2", "#a06cd5", "#5ec8f2"], 190)
    person(c, replace(SAM, size=1.0, top="#f2efe6"), 160, 214, 140, (105, 120))
    drums(c, 160, 226, 46)
    c.line([(104, 104), (84, 120)], "#e6c79a", 3)
    c.line([(214, 96), (240, 112)], "#e6c79a", 3)


@photo(f"{CONCERT}/IMG_20241012_224809.jpg", "2024-10-12T22:48:09+01:00", "concert hall")
def late_chips(c: Canvas) -> None:
    night(c, "#151233", "#4a3a6a", 20)
    skyline(c, 150, "#221d40", "#ffdf91")
    c.gradient(150, 240, "#3a3450", "#221d36")
    c.glow(54, 70, 60, "#ffd97a", 0.8)
    c.line([(54, 214), (54, 76)], "#4a4660", 4)
    c.disc(54, 70, 8, "#fff1c9")
    for x, who in ((130, NORA), (212, MAYA)):
        hands = person(c, who, x, 230, 138, (34, -34))
        y = hands[0][1]
        for i in range(5):
            c.line([(x - 8 + 4 * i, y), (x - 10 + 5 * i, y - 15)], "#f5c93b", 2.6)
        c.poly([(x - 13, y - 6), (x + 13, y - 6), (x + 8, y + 12), (x - 8, y + 12)], "#d0312d")


XMAS = "year/2024-12-25_christmas"


@photo(f"{XMAS}/IMG_20241224_193022.jpg", "2024-12-24T19:30:22+00:00", "home")
def the_tree(c: Canvas) -> None:
    room(c, "#b5524a", "#8a5a3a")
    window(c, 236, 30, 58, 76, "#2b3a66", snow=True)
    xmas_tree(c, 120, 214, 176)
    for x, y, s, fill, ribbon in (
        (66, 222, 17, "#3a7fc1", "#ffffff"),
        (104, 230, 14, "#f2b632", "#d0312d"),
        (148, 228, 19, "#fdf6ee", "#2f7d4f"),
        (190, 222, 13, "#8e5a9b", "#f2b632"),
    ):
        present(c, x, y, s, fill, ribbon)
    dog(c, 262, 226, 19, way=-1)


@photo(f"{XMAS}/IMG_20241224_201455.jpg", "2024-12-24T20:14:55+00:00", "home")
def stockings(c: Canvas) -> None:
    room(c, "#4a6b5a", "#7a5236")
    fireplace(c, 160, 196, 78)
    c.oval(160, 222, 110, 15, "#b5483f")
    c.oval(160, 222, 92, 11, "#d9857a")
    plate(c, 276, 214, 18, ["#c98f4f", "#c98f4f"])
    glass(c, 300, 216, 26, "#ffffff")


@photo(f"{XMAS}/IMG_20241225_072810.jpg", "2024-12-25T07:28:10+00:00", "home")
def unwrapping(c: Canvas) -> None:
    room(c, "#d8a05a", "#8a5a3a")
    xmas_tree(c, 262, 210, 150)
    pyjamas = {"top": "#d0312d", "bottom": "#d0312d"}
    person(c, replace(LEO, **pyjamas), 96, 226, 160, UP)
    person(c, replace(MAYA, top="#2f7d4f", bottom="#2f7d4f"), 180, 224, 128, HUG)
    present(c, 44, 228, 21, "#6fb7e8", "#ffffff")
    present(c, 140, 232, 15, "#fdf6ee", "#d0312d")
    for _ in range(9):
        x, y = c.random.uniform(60, 230), c.random.uniform(222, 236)
        c.poly(
            [(x, y), (x + 11, y - 4), (x + 8, y + 5)],
            c.random.choice(["#d0312d", "#f2b632", "#2f7d4f"]),
        )


@photo(f"{XMAS}/PC250007.jpg", "2024-12-25T13:41:19", description=BOILERPLATE)
def dinner(c: Canvas) -> None:
    room(c, "#a84a4a", "#7a5236", 170)
    for x, who, arms in (
        (42, TOM, DOWN),
        (102, ROSA, WAVE),
        (160, LEO, HUG),
        (218, HAL, DOWN),
        (278, NORA, WAVE),
    ):
        person(c, who, x, 232, 152 if who is LEO else 134, arms, hat="paper crown")
    table(c, 186, "#fdf6ee")
    c.oval(160, 220, 56, 15, "#ffffff")
    c.oval(160, 206, 36, 19, "#b5702f")
    c.oval(150, 199, 17, 8, "#cf8c46")
    for side in (-1, 1):
        c.line([(160 + side * 28, 212), (160 + side * 48, 198)], "#b5702f", 8)
        c.disc(160 + side * 50, 196, 4, "#fdf6ee")
    for x in (52, 268):
        plate(c, x, 220, 24, ["#8fbf6a", "#e8a05b"])
    for x in (88, 232):
        c.box(x - 2.5, 194, x + 2.5, 222, "#d0312d")
        c.glow(x, 188, 15, "#ffd97a", 0.9)
        c.oval(x, 189, 2.4, 5, "#ffb02e")


@photo(
    f"{XMAS}/PC250012.jpg",
    "2024-12-25T15:06:47",
    description="Grandpa insists he has never met Father Christmas. Whose hat is it then?",
)
def santa_grandpa(c: Canvas) -> None:
    room(c, "#3f6a5a", "#8a5a3a")
    xmas_tree(c, 58, 206, 140)
    person(
        c,
        replace(HAL, top="#d0312d", bottom="#d0312d", beard=True),
        178,
        236,
        196,
        (14, 140),
        hat="santa",
    )
    c.box(152, 170, 204, 177, "#22262f")
    c.box(172, 168, 184, 179, "#f2b632", 1)
    present(c, 262, 172, 13, "#6fb7e8", "#ffffff")
    present(c, 286, 170, 10, "#f2b632", "#2f7d4f")
    c.box(238, 168, 308, 234, "#8f5a3c", 24)
    c.poly([(244, 160), (302, 160), (292, 182), (254, 182)], "#a56b48")
    c.line([(253, 182), (293, 182)], "#f2d9a0", 3)


@photo(f"{XMAS}/IMG_20241225_164402.jpg", "2024-12-25T16:44:02+00:00", "home")
def gingerbread(c: Canvas) -> None:
    room(c, "#e8cfa8", "#a9744a", 130)
    table(c, 146, "#c98f5f")
    c.oval(112, 212, 92, 20, "#fdf6ee")
    c.box(64, 128, 160, 210, "#b5702f")
    c.poly([(52, 132), (172, 132), (112, 74)], "#8f5426")
    c.line([(52, 132), (112, 74), (172, 132)], "#ffffff", 5)
    for i in range(9):
        c.disc(58 + i * 13.5, 136, 5, "#ffffff")
        c.disc(70 + i * 10.6, 204, 3.4, ("#e8505b", "#6bbf73", "#f9b233")[i % 3])
    c.box(100, 168, 124, 210, "#7a4520", 8)
    for x in (74, 132):
        c.box(x, 148, x + 18, 164, "#ffe49a", 2)
    for x, y in ((214, 204), (274, 214)):
        c.disc(x, y - 40, 15, "#b5702f")
        c.line([(x - 24, y - 18), (x + 24, y - 18)], "#b5702f", 11)
        c.box(x - 10, y - 30, x + 10, y, "#b5702f", 5)
        for side in (-1, 1):
            c.line([(x + side * 6, y - 6), (x + side * 13, y + 14)], "#b5702f", 11)
            c.disc(x + side * 5, y - 43, 1.8, "#ffffff")
        c.arc(x, y - 39, 7, 25, 155, "#ffffff", 1.6)
        for i in range(3):
            c.disc(x, y - 24 + 9 * i, 2, "#e8505b")


@photo(f"{XMAS}/IMG_20241225_211133.jpg", "2024-12-25T21:11:33+00:00", "home", size=PORTRAIT)
def window_candle(c: Canvas) -> None:
    room(c, "#4a3a56", "#5a3a2a", 270)
    window(c, 48, 40, 144, 170, "#22305c", snow=True)
    c.box(30, 214, 210, 228, "#efe4d0", 2)
    for x, h in ((72, 46), (168, 38)):
        c.box(x - 9, 214 - h, x + 9, 214, "#fdf3e4", 2)
        c.glow(x, 206 - h, 34, "#ffd97a", 0.95)
        c.oval(x, 206 - h, 4, 9, "#ffb02e")
        c.oval(x, 208 - h, 2, 5, "#fff7d0")
    for i in range(9):
        c.poly([(88 + i * 8, 214), (96 + i * 8, 214), (92 + i * 8, 204 - 4 * (i % 2))], "#2f7d4f")
        c.disc(92 + i * 8, 211, 2.2, "#d0312d")
    dog(c, 116, 300, 26)


# A new album: another child's birthday, whose event the demo asks for.
IDA_4 = "query"
PINKS = ["#f7a8d8", "#c9b8ee", "#ffe49a", "#8fd6d6", "#f08a9b"]


@photo(f"{IDA_4}/IMG_20250201_143005.jpg", "2025-02-01T14:30:05+00:00", "aunt's garden")
def four_candles(c: Canvas) -> None:
    room(c, "#f3c4d8", "#c99b6b")
    bunting(c, 8, 22, PINKS)
    person(c, AMIR, 66, 242, 150, (14, 50))
    person(c, IDA, 160, 240, 214, HUG, hat="party")
    person(c, JUNE, 254, 240, 146, (50, 14))
    table(c, 194, "#fffaf2")
    cake(c, 160, 230, 92, 4, "#c9b8ee")


@photo(f"{IDA_4}/IMG_20250201_144210.jpg", "2025-02-01T14:42:10+00:00", "aunt's garden")
def balloon_arch(c: Canvas) -> None:
    room(c, "#e6e0f4", "#c9a27b")
    for i in range(19):
        turn = math.pi * (1 + i / 18)
        x, y = 160 + 128 * math.cos(turn), 186 + 158 * math.sin(turn)
        c.oval(x, y, 17, 20, PINKS[i % 5])
        c.oval(x - 5, y - 7, 3, 5, "#ffffff")
    person(c, IDA, 122, 224, 150, UP, hat="party")
    person(c, BEN, 198, 224, 132, WAVE, hat="party")


@photo(f"{IDA_4}/IMG_20250201_150120.jpg", "2025-02-01T15:01:20+00:00", "aunt's garden")
def rabbit_cake(c: Canvas) -> None:
    room(c, "#cfe6dc", "#c99b6b", 140)
    table(c, 158, "#f08fb0")
    c.oval(160, 220, 96, 16, "#fffaf2")
    for side in (-1, 1):
        c.oval(160 + side * 44, 82, 15, 46, "#fffdf8")
        c.oval(160 + side * 44, 86, 7, 33, "#f7b8cb")
    c.oval(160, 168, 74, 56, "#efe6da")
    c.oval(160, 163, 74, 56, "#fffdf8")
    for side in (-1, 1):
        c.disc(160 + side * 27, 154, 6, "#3a2a2a")
        c.oval(160 + side * 44, 178, 11, 7, "#f7b8cb")
        c.line([(160 + side * 16, 182), (160 + side * 42, 190)], "#b9a99a", 1.2)
    c.oval(160, 172, 7, 5, "#f08a9b")
    for i, x in enumerate((136, 152, 168, 184)):
        c.box(x - 2, 80, x + 2, 112, ("#d9539a", "#8a6ad0", "#e0a520", "#2fa5a5")[i])
        c.glow(x, 74, 15, "#ffd05a", 0.8)
        c.oval(x, 73, 2.6, 6, "#ff9d2e")


@photo(f"{IDA_4}/IMG_20250201_152033.jpg", "2025-02-01T15:20:33+00:00", "aunt's garden")
def gift_pile(c: Canvas) -> None:
    room(c, "#bcdcec", "#b98a5f")
    person(c, IDA, 212, 226, 184, (14, 70), hat="paper crown")
    for x, y, s, fill, ribbon in (
        (76, 226, 32, "#f7a8d8", "#ffffff"),
        (70, 178, 21, "#8fd6d6", "#ffe49a"),
        (134, 230, 22, "#ffe49a", "#f08a9b"),
        (84, 144, 13, "#c9b8ee", "#ffffff"),
        (282, 232, 20, "#f08a9b", "#ffe49a"),
    ):
        present(c, x, y, s, fill, ribbon)


@photo(
    f"{IDA_4}/IMG_20250201_154417.jpg",
    "2025-02-01T15:44:17+00:00",
    "aunt's garden",
    size=PORTRAIT,
    orientation=6,
)
def with_granny(c: Canvas) -> None:
    room(c, "#f2dcae", "#b98a5f", 236)
    for i, (x, y) in enumerate(((36, 50), (82, 34), (164, 40), (208, 62))):
        balloon(c, x, y, 20, PINKS[i])
    person(c, ROSA, 82, 306, 196, (14, 40), hat="party")
    person(c, IDA, 172, 306, 214, WAVE, hat="party")


@photo(f"{IDA_4}/IMG_20250201_160240.jpg", "2025-02-01T16:02:40+00:00", "aunt's garden")
def bubbles(c: Canvas) -> None:
    meadow(c, 130, grass="#9ac47a")
    for x, who in ((70, BEN), (160, IDA), (250, MEI)):
        person(c, who, x, 226, 150, UP, hat="party" if who is IDA else "")
    for _ in range(26):
        x, y, r = c.random.uniform(10, 310), c.random.uniform(12, 190), c.random.uniform(4, 11)
        c.arc(x, y, r, 0, 360, "#ffffff", 1)
        c.arc(x, y, r * 0.7, 190, 250, "#ffffff", 1.4)


@photo(f"{IDA_4}/IMG_20250201_173158.jpg", "2025-02-01T17:31:58+00:00", "aunt's garden")
def afterwards(c: Canvas) -> None:
    room(c, "#d9b8c9", "#b98a6a", 150)
    balloon(c, 270, 150, 20, PINKS[0], (300, 236))
    table(c, 168, "#fffaf2")
    c.oval(140, 214, 84, 17, "#eee6da")
    for y, fill in ((178, "#f6e3c4"), (190, "#f7a8b8"), (194, "#f6e3c4")):
        c.box(84, y, 150, y + 22 if y == 190 else y + 14, fill)
    c.box(82, 166, 150, 179, "#c9b8ee", 3)
    for i in range(5):
        c.disc(90 + 13 * i, 179, 6.5, "#c9b8ee")
    c.box(82, 166, 90, 212, "#c9b8ee", 3)
    c.line([(206, 208), (238, 196)], "#b9bcc4", 4)
    for _ in range(20):
        c.disc(
            c.random.uniform(96, 220),
            c.random.uniform(204, 224),
            c.random.uniform(1, 2.2),
            "#d9a05b",
        )
    plate(c, 256, 216, 28, ["#e8c79a"])
    confetti(c, 172, 236, 34, PINKS)


# --- files ---------------------------------------------------------------------------------------


def degrees(value: float) -> tuple[float, float, float]:
    """Split degrees into whole degrees, whole minutes, and seconds to two places."""
    hundredths = round(abs(value) * 360_000)
    return float(hundredths // 360_000), float(hundredths // 6_000 % 60), hundredths % 6_000 / 100


def where(shot: Shot) -> Point | None:
    """Scatter the photos of one place by some tens of metres, each always to the same point."""
    if not shot.place:
        return None
    scatter = random.Random(f"place of {shot.path}")
    latitude, longitude = PLACES[shot.place]
    return (
        round(latitude + scatter.uniform(-4e-4, 4e-4), 6),
        round(longitude + scatter.uniform(-4e-4, 4e-4), 6),
    )


def exif_of(shot: Shot) -> Image.Exif:
    """Write what the shot's camera would have written."""
    exif = Image.Exif()
    if not shot.at:
        return exif
    taken = datetime.fromisoformat(shot.at)
    exif[ExifTags.Base.Make] = "Sample"
    exif[ExifTags.Base.Model] = "Phone" if taken.tzinfo else "Camera"
    exif[ExifTags.Base.Orientation] = shot.orientation
    if shot.description:
        exif[ExifTags.Base.ImageDescription] = shot.description
    details = {ExifTags.Base.DateTimeOriginal: taken.strftime("%Y:%m:%d %H:%M:%S")}
    if taken.tzinfo:
        details[ExifTags.Base.OffsetTimeOriginal] = taken.isoformat()[-6:]
    exif[ExifTags.IFD.Exif] = details
    point = where(shot)
    if point:
        exif[ExifTags.IFD.GPSInfo] = {
            ExifTags.GPS.GPSLatitudeRef: "N" if point[0] >= 0 else "S",
            ExifTags.GPS.GPSLatitude: degrees(point[0]),
            ExifTags.GPS.GPSLongitudeRef: "E" if point[1] >= 0 else "W",
            ExifTags.GPS.GPSLongitude: degrees(point[1]),
        }
    return exif


def sidecar_of(shot: Shot) -> str:
    """Write what Google Takeout puts beside a photo."""
    name = shot.path.rsplit("/", 1)[1]
    stamp = shot.at or datetime.strptime(name, "PXL_%Y%m%d_%H%M%S.jpg").isoformat() + "+02:00"
    taken = datetime.fromisoformat(stamp).astimezone(UTC)
    latitude, longitude = where(shot) or PLACES["bay"]
    place = {
        "latitude": latitude,
        "longitude": longitude,
        "altitude": 0.0,
        "latitudeSpan": 0.0,
        "longitudeSpan": 0.0,
    }
    record = {
        "title": name,
        "description": shot.takeout,
        "photoTakenTime": {
            "timestamp": str(int(taken.timestamp())),
            "formatted": taken.strftime("%d %b %Y, %H:%M:%S UTC"),
        },
        "geoData": place,
    }
    return json.dumps(record, indent=2) + "\n"


def draw(shot: Shot) -> Image.Image:
    """Draw a shot the way it is stored: turned, where its orientation flag turns it back."""
    canvas = Canvas(shot.size, shot.path)
    shot.draw(canvas)
    picture = canvas.finish()
    turn = ROTATED.get(shot.orientation)
    return picture if turn is None else picture.transpose(turn)


def main(folder: Path) -> None:
    """Write every picture and sidecar below ``folder``."""
    for shot in SHOTS:
        target = folder / shot.path
        target.parent.mkdir(parents=True, exist_ok=True)
        exif = exif_of(shot)
        extra = {"exif": exif} if len(exif) else {}
        draw(shot).save(target, quality=QUALITY, optimize=True, **extra)
        if shot.takeout is not None:
            sidecar = target.with_name(target.name + ".json")
            sidecar.write_text(sidecar_of(shot), encoding="utf-8", newline="\n")
    print(f"{len(SHOTS)} pictures in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "sample_album")
