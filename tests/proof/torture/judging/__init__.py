"""Who judges a schedule: its laws, and a witness who reads the disk without the package."""
