"""What contenders meet: servers that cost nothing, load, manifests and processes."""
