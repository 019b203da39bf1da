"""Picture files described, the next ones decoded meanwhile."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rememberai.captioners.base import describe
from rememberai.errors import InputError, MissingExtraError
from rememberai.records import Caption

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future
    from typing import Self

    from PIL.Image import Image

    from rememberai.captioners import Captioner
    from rememberai.embedders import ImageEmbedder

_AT_ONCE = 16  # pictures that a captioner is given, unless its own batches are larger
_MOST_THREADS = 4
_SIDE = 1024  # pixels of the larger side, unless a model says what it looks at; few see more
_LONGEST = 64  # times as long as wide: of a longer strip a model would make millions of pixels
_ROWS = 4  # transformers 4 takes three rows, or one, for colours


def caption_files(
    paths: Sequence[str],
    captioner: Captioner,
    tick: Callable[[int], None],
    decoded: DecodedAhead | None = None,
) -> list[Caption]:
    """Describe picture files, a few in memory at a time; what is wrong with one is its reason.

    Parameters
    ----------
    tick
        Is told how many are done.
    decoded
        Where the pictures come from, when these paths are some of more.

    Raises
    ------
    InputError
        The captioner does not give a text for each picture.
    """
    if decoded is None:
        with DecodedAhead(paths, captioner) as decoded:
            return caption_files(paths, captioner, tick, decoded)
    captions: list[Caption] = []
    for start in range(0, len(paths), decoded.at_once):
        taken = [decoded.take(path) for path in paths[start : start + decoded.at_once]]
        images = [image for image in taken if not isinstance(image, str)]
        said = iter(describe(captioner, images) if images else [])
        captions += [
            Caption("", captioner.model_id, reason=image) if isinstance(image, str) else next(said)
            for image in taken
        ]
        tick(len(captions))
    return captions


class DecodedAhead:
    """Pictures, of which threads decode the next ones while the model has the last.

    One thread for every two processors, which the model needs as well, up to four.

    Parameters
    ----------
    paths
        In the order in which they will be taken; some may be left out.
    model
        Who they are for: a captioner or an embedder, of which only `batch_size` and `side` count.
    ids
        The photo ids by which a store has some of the paths. A file that holds another photo by now
        is not read for them.

    Attributes
    ----------
    at_once
        How many to take at once; twice as many are in memory at most.
    """

    def __init__(
        self,
        paths: Sequence[str],
        model: Captioner | ImageEmbedder,
        ids: Mapping[str, str] | None = None,
    ) -> None:
        self.at_once = max(_AT_ONCE, getattr(model, "batch_size", 0))
        self._paths = paths
        self._model = model
        self._ids = ids or {}
        self._places = {path: place for place, path in enumerate(paths)}
        self._asked: dict[int, Future[Image | str]] = {}
        self._next = 0
        n_threads = min(_MOST_THREADS, max(1, (os.cpu_count() or 1) // 2))
        self._threads = ThreadPoolExecutor(n_threads, "decode")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    def take(self, path: str) -> Image | str:
        """Give a picture, or why it can't be read."""
        place = self._places.get(path, -1)
        if place not in self._asked and place < self._next:  # a path that nobody announced
            return self._decode(path)
        for passed in [earlier for earlier in self._asked if earlier < place]:
            self._asked.pop(passed).cancel()
        self._next = max(self._next, place)
        while self._next < min(place + 1 + self.at_once, len(self._paths)):
            self._asked[self._next] = self._threads.submit(self._decode, self._paths[self._next])
            self._next += 1
        return self._asked.pop(place).result()

    def _decode(self, path: str) -> Image | str:
        return _decode(path, self._side, self._ids.get(path))

    @cached_property
    def _side(self) -> int | None:
        # Asked of the model where a picture is wanted, since it may have to be loaded to tell.
        return side_of(self._model)


def side_of(model: Captioner | ImageEmbedder) -> int | None:
    """Ask how long the shorter side is of what a model looks at; few say."""
    side: int | None = getattr(model, "side", None)
    return side


def opened(path: str, side: int | None) -> Image:
    """Decode a picture as large as a model can use, and no larger.

    It keeps twice the side that the model looks at, so that it can be scaled as well as the whole
    one; 1024 pixels where that is not known. Of a strip, more than 64 times as long as wide, the
    middle is taken; a picture of fewer rows is stretched to four.

    Raises
    ------
    ImageError, MissingExtraError
        See `open_image`.
    """
    from rememberai.photos import open_image

    if side:
        return _looked_at(open_image(path, at_least=2 * side))
    image = open_image(path, at_least=_SIDE)
    image.thumbnail((_SIDE, _SIDE), reducing_gap=2.0)
    return _looked_at(image)


def _looked_at(image: Image) -> Image:
    longest = _LONGEST * min(image.size)
    if max(image.size) > longest:
        left, top = (max(0, side - longest) // 2 for side in image.size)
        image = image.crop((left, top, image.width - left, image.height - top))
    return image if image.height >= _ROWS else image.resize((image.width, _ROWS))


def _decode(path: str, side: int | None, photo_id: str | None) -> Image | str:
    from rememberai.photos.metadata import file_id

    try:
        image = opened(path, side)
        if photo_id is None or photo_id == file_id(Path(path)):
            return image
    except (InputError, MissingExtraError, OSError) as error:
        return str(error)
    return f"{path} holds another photo by now; add its folder again"
