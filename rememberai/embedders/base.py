"""What every text embedder is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into vectors; any object with these three members is one."""

    @property
    def model_id(self) -> str:
        """Name and revision; two embedders of one id give the same vectors."""
        ...

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts.

        Returns
        -------
        NDArray[np.float32], shape (n, dimension)
            Row i belongs to text i; C-contiguous and finite, ``(0, dimension)`` for no texts.
        """
        ...
