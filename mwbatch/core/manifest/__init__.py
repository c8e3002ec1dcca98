"""From the bytes of a manifest to rows and problems, and which rows are the same."""
