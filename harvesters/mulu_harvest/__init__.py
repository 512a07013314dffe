"""Reads any department's catalogue: readers → normalise → check → diff → load. Knows no CKAN but its loader's call."""
