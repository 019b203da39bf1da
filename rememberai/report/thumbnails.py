"""Small pictures for the page: made once for each photo, in as many threads as there are cores."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from PIL import Image

from rememberai.errors import ImageError, MissingExtraError
from rememberai.photos.images import open_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_QUALITY = 68
_AT_ONCE = 64
MEDIA_TYPE = "image/webp"


def thumbnail(path: str | os.PathLike[str], side: int) -> bytes:
    """Make a WebP picture that fits a square, upright, without metadata.

    Parameters
    ----------
    side
        Pixels; a smaller picture keeps its size.

    Raises
    ------
    ImageError, MissingExtraError
        See `open_image`.
    """
    image = open_image(path, at_least=side)
    image.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    made = io.BytesIO()
    image.save(made, "WEBP", quality=_QUALITY, method=2)
    return made.getvalue()


def thumbnails(paths: Sequence[str], side: int) -> Iterator[bytes | str]:
    """Make thumbnails one after the other, as far as they are asked for.

    Returns
    -------
    iterator of bytes or str
        For each path its picture, or why there is none.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(paths), _AT_ONCE):
            some = paths[start : start + _AT_ONCE]
            yield from pool.map(_attempt, some, [side] * len(some))


def _attempt(path: str, side: int) -> bytes | str:
    try:
        return thumbnail(path, side)
    except (ImageError, MissingExtraError) as error:
        return str(error)
