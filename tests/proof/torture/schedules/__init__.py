"""What happens in a schedule: causes of doubt, circumstances, callbacks, and chance that repeats."""
