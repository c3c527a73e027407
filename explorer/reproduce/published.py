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
DISTILLATION = (
    "Hinton, Vinyals, Dean. Distilling the knowledge in a neural network. 2015. arXiv:1503.02531"
)
DO_DEEP = (
    "Ba, Caruana. Do deep nets really need to be deep? NeurIPS 2014. arXiv:1312.6184; its "
    "figures are for speech (TIMIT, shallow networks of 8,000 hidden units)"
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
    "hinton-mnist": Published(
        DISTILLATION,
        {
            "error": 0.0074,
            "error_ref": 0.0067,
            "error_plain": 0.0146,
            "error_of_plain": 74 / 146,
        },
    ),
    "ba-caruana-mnist": Published(
        DO_DEEP, {"phone_error_labels": 0.231, "phone_error_mimic": 0.216}
    ),
    "record-lenet-5": Published(BAYESIAN, {}),
}
