"""The public site: from a snapshot of what is published to pages, data files and a search index. Knows no CKAN."""
