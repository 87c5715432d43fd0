"""USSD sessions as the core sees them: rows of a batch, and operations run for them."""
