"""The figures that papers print, as fractions and counts."""

from __future__ import annotations

from explorer.reproduce.records import Published

HAN2015 = (
    "Han, Pool, Tran, Dally. Learning both weights and connections for efficient neural "
    "networks. NeurIPS 2015. arXiv:1506.02626"
)
DEEP_COMPRESSION = (
    "Han, Mao, Dally. Deep compression: compressing deep neural networks with pruning, trained "
    "quantization and Huffman coding. ICLR 2016. arXiv:1510.00149"
)
DROPNEURON = (
    "Pan, Dong, Guo. DropNeuron: simplifying the structure of deep neural networks. 2016. "
    "arXiv:1606.07326"
)
OBD = "LeCun, Denker, Solla. Optimal brain damage. NeurIPS 1989"
BAYESIAN = (
    "Louizos, Ullrich, Welling. Bayesian compression for deep learning. NeurIPS 2017. "
    "arXiv:1705.08665"
)

PUBLISHED = {
    "han2015-lenet-300-100": Published(
        HAN2015, {"rate": 12, "error": 0.0159, "error_ref": 0.0164, "n_weights": 22_000}
    ),
    "han2015-lenet-5": Published(
        HAN2015, {"rate": 12, "error": 0.0077, "error_ref": 0.0080, "n_weights": 36_000}
    ),
    "deep-compression-lenet-300-100": Published(
        DEEP_COMPRESSION, {"rate": 40, "error": 0.0158, "error_ref": 0.0164, "size_bytes": 27_000}
    ),
    "deep-compression-lenet-5": Published(
        DEEP_COMPRESSION, {"rate": 39, "error": 0.0074, "error_ref": 0.0080, "size_bytes": 44_000}
    ),
    "dropneuron-lenet-5": Published(
        DROPNEURON,
        {
            "fc_density": 0.0149,
            "rate": 67.04,
            "accuracy": 0.9907,
            "n_neurons": 1027,
            "n_neurons_ref": 3658,
        },
    ),
    "obd": Published(OBD, {}),
    "record-lenet-5": Published(BAYESIAN, {}),
}
