"""What was asked for before, by whom, and who may compare now."""
