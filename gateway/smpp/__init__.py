"""SMPP 3.4: bytes, sessions, binds and a simulated SMSC. Imports nothing of Peyk but messages."""
