"""Reports on messages: what was made, what became of it, and what came in."""
