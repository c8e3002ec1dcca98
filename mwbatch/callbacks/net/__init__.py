"""Sockets: listening, certificates, limits, and a graceful end."""
