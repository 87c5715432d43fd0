"""Telling the administrator that something is wrong, once, and that it is right again, once."""
