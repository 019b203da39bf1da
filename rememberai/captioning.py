"""Picture files described, the next ones decoded meanwhile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from rememberai.captioners.base import describe
from rememberai.errors import InputError, MissingExtraError
from rememberai.records import Caption

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future
    from typing import Self

    from PIL.Image import Image

    from rememberai.captioners import Captioner
    from rememberai.embedders import ImageEmbedder

_AT_ONCE = 16  # pictures that a captioner is given, unless its own batches are larger
_SIDE = 1024  # of the larger side of a picture that is captioned; few models see more


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
        opened = [decoded.take(path) for path in paths[start : start + decoded.at_once]]
        images = [image for image in opened if not isinstance(image, str)]
        said = iter(describe(captioner, images) if images else [])
        captions += [
            Caption("", captioner.model_id, reason=image) if isinstance(image, str) else next(said)
            for image in opened
        ]
        tick(len(captions))
    return captions


class DecodedAhead:
    """Pictures, of which a thread decodes the next ones while the model has the last.

    Parameters
    ----------
    paths
        In the order in which they will be taken; some may be left out.
    model
        Who they are for: a captioner or an embedder, of which only `batch_size` counts.

    Attributes
    ----------
    at_once
        How many to take at once; twice as many are in memory at most.
    """

    def __init__(self, paths: Sequence[str], model: Captioner | ImageEmbedder) -> None:
        self.at_once = max(_AT_ONCE, getattr(model, "batch_size", 0))
        self._paths = paths
        self._places = {path: place for place, path in enumerate(paths)}
        self._asked: dict[int, Future[Image | str]] = {}
        self._next = 0
        self._thread = ThreadPoolExecutor(1, "decode")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def take(self, path: str) -> Image | str:
        """Give a picture, or why it can't be read."""
        place = self._places.get(path, -1)
        if place not in self._asked and place < self._next:  # a path that nobody announced
            return _decode(path)
        for passed in [earlier for earlier in self._asked if earlier < place]:
            self._asked.pop(passed).cancel()
        self._next = max(self._next, place)
        while self._next < min(place + 1 + self.at_once, len(self._paths)):
            self._asked[self._next] = self._thread.submit(_decode, self._paths[self._next])
            self._next += 1
        return self._asked.pop(place).result()


def _decode(path: str) -> Image | str:
    from rememberai.photos import open_image

    try:
        image = open_image(path, at_least=_SIDE)
    except (InputError, MissingExtraError) as error:
        return str(error)
    image.thumbnail((_SIDE, _SIDE), reducing_gap=2.0)
    return image
