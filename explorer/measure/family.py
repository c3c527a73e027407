"""A teacher and its student, both as they are and compressed: what each way of shrinking gives."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.measure.accuracy import Accuracy


@dataclass(frozen=True)
class Relative:
    """One network of a family.

    Attributes
    ----------
    name : str
    n_bytes : int
        Of its float32 tensors, or of the compressed file.
    accuracy : Accuracy
    """

    name: str
    n_bytes: int
    accuracy: Accuracy


@dataclass(frozen=True)
class Family:
    """Two networks, each before and after the same recipe.

    Attributes
    ----------
    teacher, teacher_small, student, student_small : Relative
    note : str
        What is to be known of the recipe; "" for nothing.

    Examples
    --------
    >>> judged = Accuracy.from_counts(9, 10, 10)
    >>> made = [Relative("", size, judged) for size in (800, 80, 400, 20)]
    >>> family = Family(*made)
    >>> family.by_student, family.by_recipe, family.in_all
    (2.0, 20.0, 40.0)
    """

    teacher: Relative
    teacher_small: Relative
    student: Relative
    student_small: Relative
    note: str = ""

    @property
    def rows(self) -> tuple[Relative, ...]:
        """All four."""
        return self.teacher, self.teacher_small, self.student, self.student_small

    @property
    def by_student(self) -> float:
        """How many times smaller the student is than its teacher."""
        return self.ratio(self.student)

    @property
    def by_recipe(self) -> float:
        """How many times smaller the recipe makes the student."""
        return self.student.n_bytes / self.student_small.n_bytes

    @property
    def in_all(self) -> float:
        """The product of both."""
        return self.ratio(self.student_small)

    @property
    def gain(self) -> float:
        """Accuracy of the compressed student minus that of the compressed teacher."""
        return self.student_small.accuracy.top1 - self.teacher_small.accuracy.top1

    def ratio(self, row: Relative) -> float:
        """Return how many times smaller one of the four is than the teacher."""
        return self.teacher.n_bytes / row.n_bytes
