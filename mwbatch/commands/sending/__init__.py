"""Creating tasks so that no row can be paid twice."""
