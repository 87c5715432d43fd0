"""The utility side of Peyk: it knows subscribers and their database, and never the network."""
