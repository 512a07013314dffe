"""Our tables and what is asked of them. No foreign keys into CKAN's tables: a case outlives what it is about."""
