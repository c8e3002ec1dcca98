"""How fast requests may leave: slots, the rate that the API bears, and a run's course."""
