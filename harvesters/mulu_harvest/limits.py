"""How much a file may be: what a department's form never reaches and an attack, or a mistake, does."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace

MIB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds on one uploaded file. Each can be set by an environment variable, e.g. ``MULU_FORM_MAX_BYTES``."""

    max_bytes: int = 50 * MIB
    """Size of the file as it is sent."""
    max_unpacked: int = 300 * MIB
    """Bytes of all parts of an .xlsx once unpacked."""
    max_ratio: int = 200
    """Unpacked to packed size of one part; a full form of 25 columns stays under 30."""
    max_parts: int = 2_000
    """Parts inside an .xlsx."""
    max_rows: int = 50_000
    """Rows that hold something, in one sheet: some 10,000 entries."""
    max_columns: int = 500
    max_cells: int = 5_000_000
    """Rows times columns up to the last cell that holds something: the parser lays them all out in memory."""
    max_text: int = 100 * MIB
    """Characters of all cells of a sheet together: a long text may stand once in the file and be shown in every cell."""
    max_cell: int = 32_767
    """Characters in one cell, which is also Excel's own limit."""

    @classmethod
    def from_environment(cls) -> Limits:
        """The defaults with those that ``MULU_FORM_<NAME>`` sets (whole numbers).

        :raises ValueError: a variable that is set but is not a whole number.
        """
        found = {f.name: os.environ.get("MULU_FORM_" + f.name.upper()) for f in fields(cls)}
        return replace(cls(), **{name: int(value) for name, value in found.items() if value})
