"""Small pictures made while the site is built: SVG with a title and a description, in the colours of the page (classes of site.css).

Texts stand in the page, not in the picture, wherever a picture is stretched to the page's width: they keep their size on a phone.
Everything that a picture shows stands in a table beside it as well (templates/site/charts.html).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

Line = Sequence[tuple[float, float]]
PARTS = ("unconditional", "conditional", "none", "unknown")


def svg(body: str, *, width: float, height: float, label: str = "", about: str = "", css: str = "", stretched: bool = False) -> Markup:
    """A picture; without a label it only adorns what the text beside it says, and screen readers pass it over."""
    role = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    told = f"<title>{escape(label)}</title><desc>{escape(about)}</desc>" if label else ""
    ratio = ' preserveAspectRatio="none"' if stretched else ""
    return Markup(f'<svg class="{escape(css)}" viewBox="0 0 {_n(width)} {_n(height)}"{ratio} {role} focusable="false">{told}{body}</svg>')


def stacked(parts: Sequence[tuple[str, int]], most: int) -> Markup:
    """A bar of (class, count) parts, as long as its sum is to `most`; adorns a row of a table that tells the numbers."""
    at, rects = 0.0, []
    for key, count in parts:
        width = 1000 * count / most if most else 0
        if count:
            rects.append(f'<rect class="part-{key}" x="{_n(at)}" width="{_n(max(width - 3, 2))}" height="10"/>')
        at += width
    return svg("".join(rects), width=1000, height=10, css="bar", stretched=True)


def columns(values: Sequence[int | float], label: str, about: str, tips: Sequence[str] = ()) -> Markup:
    """Upright columns; `tips` are shown when one points at a column."""
    most = max([*values, 1])
    step = 1000 / max(len(values), 1)
    bars = []
    for n, value in enumerate(values):
        height = 100 * value / most
        tip = f"<title>{escape(tips[n])}</title>" if tips else ""
        hit = f'<rect class="hit" x="{_n(n * step)}" width="{_n(step)}" height="100"/>' if tips else ""
        bars.append(f'<g>{tip}{hit}<rect class="column" x="{_n(n * step + step * 0.12)}" y="{_n(100 - height)}" width="{_n(step * 0.76)}" height="{_n(height)}"/></g>')
    return svg("".join(bars), width=1000, height=100, label=label, about=about, css="columns", stretched=True)


def shares(parts: Sequence[tuple[str, int]]) -> Markup:
    """One whole, as wide as the page, in its (class, count) parts; a part that has room for it says its share. Adorns a table of the numbers."""
    whole, at, found = sum(count for _, count in parts), 0.0, []
    for key, count in parts:
        width = 100 * count / whole if whole else 0
        if count:
            found.append(f'<rect class="part-{key}" x="{_n(at)}%" width="{max(width - 0.3, 0.3):.2f}%" height="40"/>')
        if width >= 10:  # narrower ones hold no text on a phone
            found.append(f'<text class="on-{key}" x="{_n(at)}%" dx="10" y="26">{min(99, round(width)) if count < whole else 100}%</text>')
        at += width
    return elastic("".join(found), height=40, css="shares")


def months(names: Sequence[str], values: Sequence[int], label: str, about: str, tips: Sequence[str]) -> Markup:
    """A column a month (`names`: 2026-03) over lines of round values; the years stand below, the largest value on its column."""
    height, top, foot, right = 208.0, 22.0, 180.0, 92.0
    most = max([*values, 1])
    step, body = right / max(len(values), 1), []
    for value in (v for v in _steps(0, most) if v == int(v)):
        y = foot - (foot - top) * value / most
        body.append(f'<line class="grid" x2="100%" y1="{_n(y)}" y2="{_n(y)}"/><text class="scale" x="100%" y="{_n(y - 4)}" text-anchor="end">{int(value):,}</text>')
    for n, value in enumerate(values):
        x, y = n * step, foot - (foot - top) * value / most
        first = value == most and n == list(values).index(most) and value
        said = f'<text class="peak" x="{x + step / 2:.2f}%" y="{_n(y - 6)}" text-anchor="middle">{value:,}</text>' if first else ""
        body.append(
            f'<g><title>{escape(tips[n])}</title><rect class="hit" x="{x:.2f}%" y="{top:.0f}" width="{step:.2f}%" height="{foot - top:.0f}"/>'
            f'<rect class="column" x="{x + step * 0.14:.2f}%" y="{_n(y)}" width="{step * 0.72:.2f}%" height="{_n(foot - y)}"/>{said}</g>'
        )
        if names[n].endswith("-01") or (n == 0 and not any(name.endswith("-01") for name in names[1:5])):
            body.append(f'<text class="scale" x="{x + step * 0.14:.2f}%" y="{foot + 20:.0f}">{escape(names[n] if n == 0 else names[n][:4])}</text>')
    return elastic("".join(body), height=height, label=label, about=about, css="by-month")


def bullet(value: float, limit: float | None, most: float) -> Markup:
    """How long something took beside how long it may: a bar, red beyond its limit, and an upright mark at the limit."""
    scale = 96 / most if most else 0
    bar = f'<rect class="part-{"late" if limit is not None and value > limit else "timely"}" y="3" width="{value * scale:.2f}%" height="10"/>' if value else ""
    mark = f'<rect class="limit" x="{limit * scale:.2f}%" width="2" height="16"/>' if limit is not None else ""
    return elastic(f'<rect class="track" y="7.5" width="100%" height="1"/>{bar}{mark}', height=16, css="bullet")


def elastic(body: str, *, height: float, label: str = "", about: str = "", css: str = "") -> Markup:
    """A picture as wide as its place, measured in per cent across and in pixels down: its texts and lines keep their size everywhere."""
    role = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    told = f"<title>{escape(label)}</title><desc>{escape(about)}</desc>" if label else ""
    return Markup(f'<svg class="{escape(css)}" width="100%" height="{_n(height)}" {role} focusable="false">{told}{body}</svg>')


def covers(outline: Sequence[Line], points: Sequence[tuple[float, float]]) -> bool:
    """Whether most of the points lie where the outline does: otherwise it would only make them small."""
    xs, ys = [x for line in outline for x, _ in line], [y for line in outline for _, y in line]
    return bool(xs) and 2 * sum(min(xs) <= x <= max(xs) and min(ys) <= y <= max(ys) for x, y in points) > len(points)


def map_of(points: Sequence[tuple[float, float]], label: str, outline: Sequence[Line] = ()) -> Markup:
    """Points (longitude, latitude) over a graticule and the place's outline, where it `covers` them; no tile is fetched and no border made up."""
    width, height, margin = 640.0, 400.0, 34.0
    drawn = outline if covers(outline, points) else ()
    west, east, south, north = _frame([*points, *(point for line in drawn for point in line)], (width - 2 * margin) / (height - 2 * margin))

    def place(longitude: float, latitude: float) -> tuple[float, float]:
        x = margin + (longitude - west) / (east - west) * (width - 2 * margin)
        return x, height - margin - (latitude - south) / (north - south) * (height - 2 * margin)

    lines, labels = [], []
    for value in _steps(west, east):
        x = place(value, south)[0]
        lines.append(f"M{_n(x)} {_n(margin)}V{_n(height - margin)}")
        labels.append(f'<text x="{_n(x)}" y="{_n(height - 10)}" text-anchor="middle">{_degrees(value, "E", "W")}</text>')
    for value in _steps(south, north):
        y = place(west, value)[1]
        lines.append(f"M{_n(margin)} {_n(y)}H{_n(width - margin)}")
        labels.append(f'<text x="{_n(margin + 4)}" y="{_n(y - 4)}">{_degrees(value, "N", "S")}</text>')
    paths = ["M" + "L".join("{} {}".format(*map(_n, place(*point))) for point in line) for line in drawn]
    area = "".join(path + "Z" for path, line in zip(paths, drawn, strict=True) if line[0] == line[-1])
    border = "".join(path for path, line in zip(paths, drawn, strict=True) if line[0] != line[-1])
    under = (f'<path class="area" d="{area}"/>' if area else "") + (f'<path class="border" d="{border}"/>' if border else "")
    dots = "".join("M{} {}h.01".format(*map(_n, place(*point))) for point in points)
    frame = f'<rect class="frame" x="{margin:.0f}" y="{margin:.0f}" width="{width - 2 * margin:.0f}" height="{height - 2 * margin:.0f}"/>'
    body = f'<path class="graticule" d="{"".join(lines)}"/>{under}{frame}<path class="points" d="{dots}"/>{"".join(labels)}'
    box = f"经度 {west:.4g} 至 {east:.4g}，纬度 {south:.4g} 至 {north:.4g}"
    return svg(body, width=width, height=height, label=label, about=box, css="map")


def _frame(points: Sequence[tuple[float, float]], ratio: float) -> tuple[float, float, float, float]:
    """The extent of the points with some room, in the shape of the picture: a degree of longitude is shorter than one of latitude."""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    middle_x, middle_y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    shrink = max(math.cos(math.radians(middle_y)), 0.05)
    tall = max((max(ys) - min(ys)) * 1.15, 0.01)
    wide = max((max(xs) - min(xs)) * 1.15 * shrink, 0.01)
    tall, wide = max(tall, wide / ratio), max(wide, tall * ratio)
    return middle_x - wide / shrink / 2, middle_x + wide / shrink / 2, middle_y - tall / 2, middle_y + tall / 2


def _steps(low: float, high: float) -> Iterable[float]:
    """Three to six round values between two."""
    rough = (high - low) / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * n for n in (1, 2, 2.5, 5, 10) if power * n >= rough)
    at = math.ceil(low / step) * step
    while at <= high:
        yield round(at, 10)
        at += step


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(value):g}°{positive if value >= 0 else negative}"


def _n(value: float) -> str:
    """A number as short as it may be: 12.5, not 12.50."""
    return f"{value:.1f}".rstrip("0").rstrip(".") if value else "0"
