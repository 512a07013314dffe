"""Mulu."""
