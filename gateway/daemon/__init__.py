"""The rooms of the daemon, each made and kept here; ``gateway.app`` puts them together."""
