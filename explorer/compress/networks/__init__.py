"""Networks under compression: weights, recipes, plans, and what comes out."""
