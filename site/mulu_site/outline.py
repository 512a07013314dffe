"""A place's own outline, as fine as its maps can show it: some kilobytes of what was surveyed in megabytes."""

from __future__ import annotations

from mulu import outline
from mulu.errors import BrokenRules
from mulu.outline import Line
from mulu.profile import Profile
from mulu_site.release import BuildError

POINTS = 500
"""At most, of all lines together: about six kilobytes on each page with a map."""


def of_place(profile: Profile) -> tuple[Line, ...]:
    """The outline that the profile names, simplified; () where it names none. BuildError says what is wrong with its file."""
    if profile.outline is None:
        return ()
    try:
        return simplified(outline.read(profile.outline))
    except BrokenRules as error:
        raise BuildError(f"{profile.name}的规则有误：{error}。") from None


def simplified(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """No more than POINTS points; what is smaller than one could see goes first, a ring stays a ring."""
    from shapely import MultiLineString  # only where a place has an outline

    whole = MultiLineString(lines)
    west, south, east, north = whole.bounds
    tolerance = max(east - west, north - south) / 1000
    while True:
        kept = [line.simplify(tolerance) for line in whole.geoms]
        shown = [line for line in kept if line.length > 4 * tolerance]
        if sum(len(line.coords) for line in shown) <= POINTS:
            return tuple(tuple((round(x, 5), round(y, 5)) for x, y in line.coords) for line in shown)
        tolerance *= 1.5
