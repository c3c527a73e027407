"""The page: tabs of cards around one network, a recipe and what it leaves."""
