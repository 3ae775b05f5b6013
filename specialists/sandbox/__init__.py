"""Runs untrusted code: one protocol, several tiers, and the search for the best that works here.

`protocol` says what is given and what comes back; `probe` finds a tier.
"""
