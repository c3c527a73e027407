"""A live session: model, data and recipe in, figures and accuracy out; no widgets."""

from explorer.session.session import Session

__all__ = ["Session"]
