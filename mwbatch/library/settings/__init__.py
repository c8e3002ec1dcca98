"""What a user may set: options and keywords, declared once, and what the environment says."""
