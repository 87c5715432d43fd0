"""What others are told of over HTTP: which webhooks there are, what they want, what they got.

A webhook has a position in each thing that it can be told of: messages that came in, events,
and states that messages came to. What lies behind its position and in front of
``core.webhooks.horizon`` is made into one call at a time; the positions move in the
transaction that stores the call. So nothing that happens needs to know of webhooks, nothing is
passed over, and what is told again after a crash is the same call with the same id.
"""
