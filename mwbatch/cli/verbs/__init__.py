"""A file a verb, or a pair of verbs: each declares its options and prints what it came to."""
