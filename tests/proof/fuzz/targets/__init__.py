"""What is fuzzed, a file a target."""
