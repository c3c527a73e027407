"""Who visits the server, and how many may."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explorer.serve.kernels import Kernels

__all__ = ["NoRoom", "Visit", "Visits"]


class NoRoom(Exception):
    """Everyone whom the server may hold is there already."""


class Visits:
    """The visitors who have a kernel, or are about to have one.

    Parameters
    ----------
    most : int
        How many there may be at a time.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._all: set[Visit] = set()

    def count(self, running: Kernels | Container[str]) -> int:
        """Return how many there are, forgetting those whose kernel no longer runs.

        Parameters
        ----------
        running : container of str
            The ids of the kernels that run.
        """
        self._all = {
            visit for visit in self._all if not visit.kernel_id or visit.kernel_id in running
        }
        return len(self._all)

    def owner(self, kernel_id: str) -> bytes | None:
        """Return the token of the visitor who has a kernel; None where nobody has it."""
        found = (visit.token for visit in self._all if visit.kernel_id == kernel_id)
        return next(found, None)

    @contextmanager
    def enter(self, kernels: Kernels, token: bytes = b"") -> Iterator[Visit]:
        """Let a visitor in, who stays if there is a kernel when the block ends.

        Parameters
        ----------
        kernels : Kernels
        token : bytes
            Known to this visitor alone.

        Raises
        ------
        NoRoom
            If as many as may are there.
        """
        if self.count(kernels) >= self.most:
            raise NoRoom
        visit = Visit(kernels, token)
        self._all.add(visit)
        try:
            yield visit
        finally:
            if not visit.kernel_id:
                self._all.discard(visit)


class Visit:
    """The kernels as one visitor's page asks for them: it notes which the visitor has got.

    Attributes
    ----------
    kernel_id : str
        "" until there is one.
    token : bytes
        Known to this visitor alone.
    """

    def __init__(self, kernels: Kernels, token: bytes = b"") -> None:
        self.kernel_id, self.token = "", token
        self._kernels: Any = kernels

    @property
    def notebook_data(self) -> Any:
        """What is known of pages prepared in advance."""
        return self._kernels.notebook_data

    def get_pool_size(self, notebook_name: str) -> int:
        """Return how many kernels stand ready for a notebook."""
        return int(self._kernels.get_pool_size(notebook_name))

    def get_kernel(self, kernel_id: str) -> Any:
        """Return a kernel."""
        return self._kernels.get_kernel(kernel_id)

    async def start_kernel(self, **given: Any) -> str:
        """Start a kernel for this visitor."""
        self.kernel_id = await self._kernels.start_kernel(**given)
        return self.kernel_id

    async def get_rendered_notebook(self, notebook_name: str, **given: Any) -> Any:
        """Take a page that stands ready, passing over those whose kernel has ended.

        Raises
        ------
        NoRoom
            If none of them has a kernel; others are on their way.
        """
        while self._kernels.get_pool_size(notebook_name):
            found = await self._kernels.get_rendered_notebook(notebook_name=notebook_name, **given)
            if found[-1] in self._kernels:
                self.kernel_id = found[-1]
                self._kernels.expect(self.kernel_id)
                return found
        raise NoRoom

    async def leave(self) -> None:
        """End the visitor's kernel."""
        if self.kernel_id in self._kernels:
            await self._kernels.shutdown_kernel(self.kernel_id)
