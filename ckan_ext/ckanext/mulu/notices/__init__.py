"""Notices: letters rendered, the outbox delivered in the portal and by mail, and the clockwork that lets time pass."""
