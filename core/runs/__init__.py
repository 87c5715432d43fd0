"""Campaigns: a template over the rows of a report, made into messages piece by piece."""
