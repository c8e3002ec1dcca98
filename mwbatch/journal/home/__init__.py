"""The home that is a folder: its batches, locks, inbox, and what is known of them beside their facts."""
