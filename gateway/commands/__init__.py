"""What the sub-commands of ``peyk`` do; ``cli`` says how they are called."""
