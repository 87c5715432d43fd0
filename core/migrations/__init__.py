"""The history of the tables, run by ``core.schema``; each version is one module."""
