"""The programming interface: one file per resource; it asks and shows, and leaves the work to the flows."""
