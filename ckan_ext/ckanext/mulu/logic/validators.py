"""Rules of mulu, asked by CKAN's schemas."""

from __future__ import annotations

import ckan.plugins.toolkit as tk

from mulu import credit_code


def mulu_credit_code(value: str) -> str:
    """A 统一社会信用代码 with its check character, in capitals; tk.Invalid says what is wrong with it."""
    code = value.strip().upper()
    if problem := credit_code.validate(code):
        raise tk.Invalid(str(problem))
    return code
