"""Telling other systems what happens: signed calls, until they are taken (docs/webhooks.md)."""
