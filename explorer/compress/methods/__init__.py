"""The compression methods, each in its own file."""
