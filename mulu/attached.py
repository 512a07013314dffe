"""What may be handed in as a file: how many, how large, of which kind. The portal checks it; the public site says it before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MOST_FILES: Final = 5
MOST_BYTES: Final = 10 * 2**20
"""Of one file."""
MOST_BYTES_IN_ALL: Final = 20 * 2**20
ACCEPTED: Final = "PDF、JPG、PNG、DOCX、XLSX、TXT、CSV"
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "application/pdf": (".pdf",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    f"{_OFFICE}.wordprocessingml.document": (".docx",),
    f"{_OFFICE}.spreadsheetml.sheet": (".xlsx",),
    "text/csv": (".csv", ".txt"),
    "text/plain": (".txt", ".csv"),
}
"""Media type → the endings that its name may have, the usual one first."""
ENDINGS: Final = tuple(sorted({ending for endings in TYPES.values() for ending in endings}))
