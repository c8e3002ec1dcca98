"""Hostile requests over raw sockets: tables of what is sent, what is answered, and when the connection ends.

`entry` says what an entry is and plays it; `lines`, `heads`, `bodies` and `slow` are the tables.
"""
