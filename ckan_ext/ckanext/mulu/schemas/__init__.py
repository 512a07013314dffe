"""scheming's schemas: of the entry (generated) and of the department."""
