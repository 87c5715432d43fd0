"""Understanding what a subscriber typed: normalise, match, name the operation. Pure."""
