"""Files and folders: durable, whole or not at all, and never in anybody's way."""
