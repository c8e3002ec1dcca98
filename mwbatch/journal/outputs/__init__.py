"""What users want written: whole or not at all, and never over anything of theirs."""
