"""Records to bytes and back: n-bit packing, kept positions, the file."""
