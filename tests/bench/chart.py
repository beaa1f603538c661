# Copyright (c) 2026, skyhaul contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draw curves as SVG, readable on a light and on a dark page."""

from __future__ import annotations

import html
import math
import pathlib
from collections.abc import Callable, Mapping, Sequence

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 70, 170, 40, 50
COLOURS = ("#2f81f7", "#e5534b", "#2da44e", "#b083f0", "#d29922")
STYLE = "font:13px sans-serif;fill:#768390"


def draw(
    path: pathlib.Path,
    title: str,
    across: str,
    ticks: Mapping[float, str],
    curves: Mapping[str, Sequence[tuple[float, float]]],
    is_logarithmic: bool = False,
) -> None:
    """Write the picture ``path``.

    ``across`` names the horizontal axis, which has ``ticks`` (place to label). ``curves`` have points (place, value).
    ``is_logarithmic`` is about the values.
    """
    values = [value for points in curves.values() for _place, value in points]
    steps = _choose_powers(values) if is_logarithmic else _choose_steps(max(values))
    scale: Callable[[float], float] = math.log10 if is_logarithmic else float
    low, high, first, last = scale(steps[0]), scale(steps[-1]), min(ticks), max(ticks)

    def x(place: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (place - first) / (last - first)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (scale(value) - low) / (high - low)

    parts = [_text(LEFT, 22, title, "font-weight:bold")]
    for step in steps:
        ends = f'x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(step):.1f}" y2="{y(step):.1f}"'
        parts += [f'<line {ends} stroke="#76839044"/>', _text(LEFT - 8, y(step) + 4, f"{step:,g}", "text-anchor:end")]
    parts += [_text(x(place), HEIGHT - 28, label, "text-anchor:middle") for place, label in ticks.items()]
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, across, "text-anchor:middle"))
    for number, (name, points) in enumerate(curves.items()):
        drawn = [(x(place), y(value)) for place, value in points]
        parts += _draw_curve(name, drawn, COLOURS[number % len(COLOURS)])
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
    body = "\n".join(parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{head}\n<title>{html.escape(title)}</title>\n{body}\n</svg>\n", encoding="utf-8")


def _draw_curve(name: str, points: Sequence[tuple[float, float]], colour: str) -> list[str]:
    line = " ".join(f"{left:.1f},{top:.1f}" for left, top in points)
    return [
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{left:.1f}" cy="{top:.1f}" r="3" fill="{colour}"/>' for left, top in points),
        _text(points[-1][0] + 8, points[-1][1] + 4, name, f"fill:{colour}"),
    ]


def _choose_powers(values: Sequence[float]) -> list[float]:
    """Return the powers of ten around ``values``."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(low, high + 1)]


def _choose_steps(most: float) -> list[float]:
    """Return round numbers from 0 to at least ``most``."""
    size = 10.0 ** math.floor(math.log10(most))
    step = next(size * factor for factor in (0.2, 0.5, 1, 2) if size * factor * 6 >= most)
    return [step * number for number in range(math.ceil(most / step) + 1)]


def _text(left: float, top: float, text: str, more: str) -> str:
    return f'<text x="{left:.1f}" y="{top:.1f}" style="{STYLE};{more}">{html.escape(text)}</text>'
