"""Published figures: pruning layer by layer, devices, networks, and results reproduced here."""
