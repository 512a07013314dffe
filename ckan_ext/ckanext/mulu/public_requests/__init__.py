"""Requests of the public without an account: challenge, limits, receipt and query code, files."""
