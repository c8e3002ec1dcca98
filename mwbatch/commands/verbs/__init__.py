"""A file a verb: what each of them decides and does."""
