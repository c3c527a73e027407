"""What a compressed network costs and what it still does: sizes, maps, histograms, accuracy."""
