"""The published catalogue for other catalogues: as it changed (``changes``), as DCAT and data.json (``catalogue``).

What may leave is what everybody may see: ``published`` asks the one predicate for each entry and names each field that leaves.
"""
