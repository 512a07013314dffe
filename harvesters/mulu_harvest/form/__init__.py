"""The departments' form: Excel (.xlsx, .xls) and CSV, read row by row with every problem named by sheet and cell.

Decisions worth knowing:

- A file is first told by its content, measured and scanned (``guard``, ``scan``) and only then parsed; what is beyond
  ``mulu_harvest.limits`` is refused whole with one sentence. Nothing here writes anything anywhere.
- A formula is never calculated. The result that was saved with it is taken and reported as a warning; without one the cell
  is left unread and reported as an error. Macros are reported and never run.
- A cell that cannot be read stays out of the entry and is a problem of its draft; rows that belong to no entry are problems
  of the file. Good rows are taken whatever the others are like.
- ``是`` under 是否向社会开放 without a condition, and other words that no code fits, are asked for and not guessed.
"""

from .reader import FormRecords, FormReport, SheetReport, read_form, read_records

__all__ = ["FormRecords", "FormReport", "SheetReport", "read_form", "read_records"]
