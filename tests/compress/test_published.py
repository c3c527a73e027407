"""The published rates of Deep Compression, through our own encoder on random weights.

Figures: Han, Mao, Dally. "Deep compression: compressing deep neural networks with pruning,
trained quantization and Huffman coding". ICLR 2016. arXiv:1510.00149, tables 2 to 4; densities from
Han, Pool, Tran, Dally. "Learning both weights and connections for efficient neural networks".
NeurIPS 2015. arXiv:1506.02626.
"""

import pytest
import torch

from explorer.compress.methods.entropy import Entropy
from explorer.compress.methods.prune import Prune
from explorer.compress.methods.relative_index import RelativeIndex
from explorer.compress.methods.share import Share

# Layer, shape, weights kept (percent), bits of a weight and of an index, published rate (percent).
LAYERS = [
    ("LeNet-300-100 fc1", (300, 784), 8, 6, 5, 3.1),
    ("LeNet-300-100 fc2", (100, 300), 9, 6, 5, 3.8),
    ("LeNet-300-100 fc3", (10, 100), 26, 6, 5, 15.7),
    ("LeNet-5 conv1", (20, 1, 5, 5), 66, 8, 5, 78.5),
    ("LeNet-5 conv2", (50, 20, 5, 5), 12, 8, 5, 6.0),
    ("LeNet-5 fc1", (500, 800), 8, 5, 5, 2.7),
    ("LeNet-5 fc2", (10, 500), 19, 5, 5, 6.9),
    ("AlexNet conv1", (96, 3, 11, 11), 84, 8, 4, 32.6),
    ("AlexNet conv2", (256, 48, 5, 5), 38, 8, 4, 14.5),
    ("AlexNet conv3", (384, 256, 3, 3), 35, 8, 4, 13.1),
    ("AlexNet conv4", (384, 192, 3, 3), 37, 8, 4, 14.1),
    ("AlexNet conv5", (256, 192, 3, 3), 37, 8, 4, 14.0),
    ("AlexNet fc6", (4096, 9216), 9, 5, 4, 3.0),
    ("AlexNet fc7", (4096, 4096), 9, 5, 4, 3.0),
    ("AlexNet fc8", (1000, 4096), 25, 5, 4, 7.3),
]


@pytest.mark.parametrize(
    ("shape", "kept", "bits", "index_bits", "published"),
    [layer[1:] for layer in LAYERS],
    ids=[layer[0] for layer in LAYERS],
)
def test_pruned_and_shared_layers_take_what_was_published(shape, kept, bits, index_bits, published):
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    # Densities are printed in whole percents; one that rounds to the printed one must do.
    for density in (kept, kept + 0.4, kept - 0.4):
        record = encoded(weight, density / 100, bits, index_bits)
        rate = 100 * record.size_bits / (32 * weight.numel())
        if abs(rate - published) <= 0.4:
            break
    else:
        pytest.fail(f"{rate:.2f} % at {density} % density, published {published} %")
    n_kept, fillers = int(record.mask.sum()), record.index.n_fillers
    table = 32 * (1 << bits)
    assert n_kept * (bits + index_bits) < record.size_bits
    assert record.size_bits <= (n_kept + fillers) * (bits + index_bits) + table
    assert Entropy("huffman")(record).size_bits <= record.size_bits


def encoded(weight, density, bits, index_bits):
    """Prune, share and index a layer as the paper does."""
    record = Prune(sparsity=1 - density)(weight)
    for step in (Share(n_clusters=1 << bits), RelativeIndex(bits=index_bits)):
        record = record.then(step)
    return record
