"""Payment providers over HTTP; the states that they move are in ``core.payments``."""
