"""The network side of Peyk: it knows operators, panels and browsers, and never SQL."""
