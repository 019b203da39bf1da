"""What a picture shows, as a classifier of 1,000 things sees it: a label where no captioner is."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from rememberai._efficientnet import LOOKED_AT, MODEL_ID, efficientnet
from rememberai.errors import InputError
from rememberai.records import Caption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image

    from rememberai.records import TextSource

_LIKELY, _CERTAIN = 0.5, 0.9


class LabelCaptioner:
    """Names the one thing that a picture shows: ``"a photo of a dog"``.

    No captioner, and of little help where several things matter: EfficientNet-lite0 (Tan and Le,
    ICML 2019), which a package ships, tells 1,000 ImageNet classes apart, of which a word for
    several, such as "a dog" for 118 breeds, has the sum of their probabilities. The word is said
    when it is likelier than not; the class in its place when that has a probability of 0.9, or
    after it ("food, perhaps a pizza") when it is likelier than not itself. Else nothing is said.
    Of 154 photographs of COCO 71 get a label so, of which 64 are true by what people wrote of them.

    Parameters
    ----------
    batch_size
        Pictures that go through the network at once.

    Attributes
    ----------
    text_source
        ``"label"``: what it says weighs less than a caption, and gives way to one.
    side
        Pixels of the shorter side that the network looks at.

    Raises
    ------
    MissingExtraError
        The package with the weights, or torch, is not installed.
    """

    text_source: TextSource = "label"
    model_id = f"labels-of-{MODEL_ID}"
    side = LOOKED_AT

    def __init__(self, *, batch_size: int = 16) -> None:
        if batch_size < 1:
            raise InputError(f"batch_size must be at least 1; {batch_size} came")
        self.batch_size = batch_size
        self._network = efficientnet()

    def caption(self, images: Sequence[Image]) -> list[Caption]:
        """Label pictures.

        Returns
        -------
        list of Caption, length n
            Caption i belongs to picture i; its confidence is the logarithm of the probability of
            what is said. It has no text where nothing is likely.
        """
        captions = []
        for start in range(0, len(images), self.batch_size):
            begun = perf_counter()
            batch = images[start : start + self.batch_size]
            likely = _softmax(self._network.predict(batch))
            seconds = (perf_counter() - begun) / len(batch)
            captions += [_caption(row, self.model_id, seconds) for row in likely]
        return captions


def _caption(likely: NDArray[np.float64], model_id: str, seconds: float) -> Caption:
    """Say what is likely of (1000,) probabilities."""
    classes, words, word_of = _names()
    sums = np.bincount(word_of, likely)
    word = int(sums.argmax())
    best = int(likely.argmax())
    name, probability = words[word], float(sums[word])
    if probability < _LIKELY:
        reason = f"no label is likely; the best guess is {name} ({probability:.2f})"
        return Caption("", model_id, seconds=seconds, reason=reason)
    if likely[best] >= _CERTAIN:
        name, probability = classes[best], float(likely[best])
    elif likely[best] >= _LIKELY and classes[best] != name:
        name = f"{name}, perhaps {classes[best]}"
    return Caption(f"a photo of {name}", model_id, min(0.0, float(np.log(probability))), seconds)


@cache
def _names() -> tuple[list[str], list[str], NDArray[np.intp]]:
    """Read the name of each class, the words for several, and which word is for which class."""
    lines = files(__package__).joinpath("imagenet_classes.txt").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    words = sorted({row[-1] for row in rows})
    places = {word: i for i, word in enumerate(words)}
    return [row[0] for row in rows], words, np.array([places[row[-1]] for row in rows], np.intp)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    powers = np.exp((logits - logits.max(axis=1, keepdims=True)).astype(np.float64))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
