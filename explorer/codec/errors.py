"""What goes wrong with a compressed file."""


class DamagedFile(ValueError):
    """A compressed file that is damaged, cut short, or no such file at all."""
