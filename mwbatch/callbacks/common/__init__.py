"""What every part of the receiver knows: limits, refusals, counts, readiness, and how trouble is told."""
