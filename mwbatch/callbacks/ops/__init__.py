"""A receiver of its own, and what whoever looks after it asks: health and metrics."""
