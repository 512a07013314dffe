"""What people are told of runs. Called by the engine after the run's new state is committed; each opens its own transaction.

Called again for the same run (the engine may die between the commit and the call), nothing happens a second time.
"""

from __future__ import annotations


def on_held(run_id: str) -> None:
    """A run waits for a person, who sees its steps and applies or drops them."""


def on_finished(run_id: str) -> None:
    """A run is over: done, failed (for good) or stopped."""
