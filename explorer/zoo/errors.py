"""What can be missing when a network or its data is loaded."""


class WeightsUnavailable(RuntimeError):
    """Published weights could not be fetched, and none are kept on this computer."""


class DataUnavailable(RuntimeError):
    """A data set could not be fetched, and none is kept on this computer, or it is damaged."""
