"""The rooms of the daemon; ``gateway.app`` puts together what is made in them.

``ground`` is what all others stand on: settings, database, number, threads (``workers``).
``network`` is what it is connected by, ``own_messages`` what the utility sends by itself,
``watching`` who sees how it is, ``pages`` what it serves, ``rounds`` what it does again and
again, ``orders`` what the control door may ask of it.
"""
