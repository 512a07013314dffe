"""Grants (授权): who may read what of data that is not open to all, the data's one way out, and the record of its use."""
