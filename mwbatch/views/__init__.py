"""What people see. Each view only looks: none can act."""
