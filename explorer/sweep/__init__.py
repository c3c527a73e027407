"""Many recipes measured side by side, on threads, processes or a cluster."""
