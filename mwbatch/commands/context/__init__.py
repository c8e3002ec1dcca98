"""What every command is handed: clocks, the wish to stop, the session with its batch and its API."""
