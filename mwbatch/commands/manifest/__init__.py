"""From a manifest to planned rows."""
