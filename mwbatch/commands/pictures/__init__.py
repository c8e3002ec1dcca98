"""Requests to where the pictures are: whether they are there, and how large."""
