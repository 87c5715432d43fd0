"""The API: what other systems send to Peyk and ask of it, as JSON under ``/api/v1``."""
