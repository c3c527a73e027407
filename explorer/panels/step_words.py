"""What each step does, in one plain sentence under its name."""

from __future__ import annotations

from explorer.compress.binarize import Binarize
from explorer.compress.entropy import Entropy
from explorer.compress.low_rank import LowRank
from explorer.compress.neurons import PruneNeurons
from explorer.compress.product import Product
from explorer.compress.prune import Prune
from explorer.compress.quantize import Quantize
from explorer.compress.relative_index import RelativeIndex
from explorer.compress.residual import Residual
from explorer.compress.setting import Setting
from explorer.compress.share import Share

STEP_WORDS: dict[type[Setting], str] = {
    Prune: "Set the least important weights to zero.",
    PruneNeurons: "Take whole neurons out, those with the weakest incoming weights.",
    Quantize: "Round weights to evenly spaced levels: b bits give two to the power of b.",
    Binarize: "Keep only each weight's sign, times a scale.",
    Share: "Let weights share k values, found by k-means.",
    Product: "Cut the matrix into strips and let each strip's rows share a few patterns.",
    Residual: "Let rows share a few patterns, then let what is left share some more.",
    LowRank: "Write the matrix as the product of two thin ones.",
    Entropy: "Write frequent codes with fewer bits; no weight changes.",
    RelativeIndex: "Write where weights are kept as short distances; no weight changes.",
}
