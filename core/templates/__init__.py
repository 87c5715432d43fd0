"""Templates: the messages that the utility sends of its own accord, when, to whom, how hard."""
