"""Reports that messages are made of: named queries, as files that an operator may add."""
