"""From what a subscriber typed to candidates for a ``Call``: pure, and it never raises.

``scan`` finds digit runs and words in a text, ``pattern`` says what a command's fields look
like, ``grammar`` is all the commands of a profile, ``match`` binds runs to fields,
``together`` does so where separators were left out, ``fault`` says what was wrong, and
``choose`` picks among several readings with the help of the utility's data.
"""
