"""What users type and what they are told: commands to paste, counts, settings, names, lists of ids."""
