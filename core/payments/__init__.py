"""Paying online: orders, their states, and how a paid one becomes a payment (DOMAIN 9)."""
