"""How a recipe is turned by hand: dials made from the fields of settings."""
