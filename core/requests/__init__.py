"""What subscribers and counter offices ask a utility to do: kinds, states, and the work on them.

``kinds`` and ``states`` are pure; ``shelf`` serves the operations by text, ``counter`` a
counter office and the utility's staff. See docs/requests.md.
"""
