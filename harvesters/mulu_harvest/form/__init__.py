"""The departments' form: Excel (.xlsx, .xls) and CSV, read row by row with every problem named by sheet and cell."""

from .reader import FormReport, SheetReport, read_form

__all__ = ["FormReport", "SheetReport", "read_form"]
