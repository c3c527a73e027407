"""Entropy coding of what the other steps leave: frequent codes and distances get fewer bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from explorer.compress.coding.entropy import CODERS
from explorer.compress.methods.setting import StorageSetting, check_choice, dial


@dataclass(frozen=True)
class Entropy(StorageSetting):
    """Give frequent codes and distances fewer bits; nothing is lost.

    Codes of shared, quantized, binarized, product and residual weights are coded, and
    the positions of kept weights, as relative indices: of the width that `RelativeIndex`
    chose, or else of the one that takes least. Dense weights are left alone.

    Parameters
    ----------
    coder : {"huffman", "ans"}
        Huffman codes, as in the paper, with whole bits a symbol; or asymmetric numeral systems,
        as one would do today, within a hundredth of a bit of the entropy.

    References
    ----------
    Han, Mao, Dally. "Deep compression: compressing deep neural networks with pruning,
    trained quantization and Huffman coding". ICLR 2016. arXiv:1510.00149.
    Duda. "Asymmetric numeral systems: entropy coding combining speed of Huffman coding with
    compression rate of arithmetic coding". 2013. arXiv:1311.2540.

    Examples
    --------
    >>> import torch
    >>> from explorer.compress.methods.share import Share
    >>> weight = torch.tensor([1.0] * 900 + [2.0, 3.0, 4.0, 5.0] * 25)
    >>> plain = Share(n_clusters=5)(weight)
    >>> Entropy("huffman")(plain).size_bits < plain.size_bits / 2
    True
    """

    coder: str = dial(
        "huffman",
        "choice",
        "Coder",
        "Both give frequent codes fewer bits, and change no weight. Huffman: whole bits a code, "
        "on average at least the entropy H = −Σ pᵢ · log₂ pᵢ; ANS: within a hundredth of a bit "
        "of H.",
        options=(("Huffman", "huffman"), ("ANS", "ans")),
    )

    title = "Entropy coding"
    help = "Write frequent codes with fewer bits; no weight changes."

    def check(self) -> None:
        """Raise where a field is out of range."""
        check_choice("Entropy", "coder", self.coder, CODERS)

    def describe(self) -> str:
        """Say the step in a few words."""
        return "Huffman" if self.coder == "huffman" else "ANS"

    def storage(self) -> dict[str, Any]:
        """Set the coder."""
        return {"coder": self.coder}
