"""What people said of a picture: boxes, and what of an answer does not fit its question."""
