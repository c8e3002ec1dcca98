"""What the operator asks for: one module a verb, and what they share. They decide; views only look."""
