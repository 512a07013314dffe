"""One module for each kind of source; each yields :class:`mulu_harvest.record.Record`."""
