"""The sub-commands of ``peyk``: how each is called and what it does; ``cli`` assembles them."""
