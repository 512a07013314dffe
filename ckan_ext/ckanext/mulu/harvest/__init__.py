"""Harvesting inside the portal: sources and runs (``sources``, ``runs``), what a run remembers (``memory``), who runs it
(``worker``), and the bulk way into the catalogue (``load``)."""
