"""How codes and positions become bits: packing, positions, entropy coding."""
