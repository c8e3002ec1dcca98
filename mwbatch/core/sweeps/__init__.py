"""Listings from which absence may be concluded: what they must cover, and when they are believed."""
