"""The rules of a Chinese government data catalogue: pure Python and YAML, no CKAN, no database, no clock of its own."""
