"""What every embedder of texts, and of pictures, is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image


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


@runtime_checkable
class ImageEmbedder(Protocol):
    """Turns pictures into vectors; any object with these three members is one.

    One that is an `Embedder` too has two towers: its texts lie in the space of its pictures. One
    that has a `side` gets pictures whose shorter side keeps twice that many pixels, and of large
    files not much more, which are then decoded the faster.
    """

    @property
    def model_id(self) -> str:
        """Name and revision; two embedders of one id give the same vectors."""
        ...

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        ...

    def encode_images(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Embed pictures.

        Returns
        -------
        NDArray[np.float32], shape (n, dimension)
            Row i belongs to picture i; C-contiguous and finite, ``(0, dimension)`` for none.
        """
        ...
