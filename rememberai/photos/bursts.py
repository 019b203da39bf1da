"""Bursts: photos that are nearly the same, and the sharpest of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from rememberai.errors import ImageError, MissingExtraError
from rememberai.photos.images import open_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

# Chosen on the photos of the benchmark near_duplicates; it learns a threshold on unseen ones too.
_CELLS, _DIRECTIONS, _PIXELS = 6, 8, 48
_COLOUR = 0.7  # the length of the colours beside that of the edges
ALIKE = 0.7
# Chosen on drawn pages: of those with other words, as many lines alike as can be, 1 in 100.
PAGES_ALIKE = 0.97
APART = 3600.0
DIMENSION = _CELLS * _CELLS * (_DIRECTIONS + 3)
_PLAIN, _SHADES, _GRAIN = 0.5, 13, 256  # so much of a page is of so few greys, at so many pixels
_SHARP = 512  # pixels of the shorter side at which sharpness is compared
_LONGEST = 16 * _SHARP  # of the longer side, since a strip would become too large
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Burst:
    """Photos that are nearly the same, by their positions in what was given.

    Attributes
    ----------
    face
        The sharpest, which stands for all.
    members
        All of them with the face, ascending; a photo that is like no other is alone.
    """

    face: int
    members: tuple[int, ...]


def find_bursts(
    paths: Sequence[str | None],
    times: Sequence[datetime | None] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Burst, ...]:
    """Group picture files that are nearly the same: bursts, edits, smaller copies.

    Pages of text, of a book, a chat or slides, look much the same whatever they say. They have to
    be nearly equal: a smaller, recompressed or slightly turned copy of a page is found, a cropped
    one is not.

    Parameters
    ----------
    paths
        The n files; None, or a file that can't be read, is alone.
    times
        What the clock showed when each was taken, or None where nobody knows. Two photos that are
        known to be more than an hour apart come into one burst only by a third that is like both.
    progress
        Called after each file with the number of files done and n.

    Returns
    -------
    tuple of Burst
        Each position is in one of them, the same whatever the order of the files. In the order of
        their first members.
    """
    sketches = np.zeros((len(paths), DIMENSION), np.float32)
    pages = np.zeros(len(paths), bool)
    sharp = np.zeros(len(paths))
    for number, path in enumerate(paths):
        if path is not None:
            try:
                image = open_image(path, at_least=_SHARP)
            except (ImageError, MissingExtraError):
                pass
            else:
                sketches[number], sharp[number] = sketch(image), sharpness(image)
                pages[number] = is_page(image)
        if progress is not None:
            progress(number + 1, len(paths))
    order = np.array(sorted(range(len(paths)), key=lambda row: paths[row] or ""), np.intp)
    seconds = None if times is None else _seconds(times)[order]
    bursts, alone = [], np.ones(len(paths), bool)
    for group in near_duplicates(sketches[order], seconds, pages[order]):
        members = order[group]
        alone[members] = False
        face = members[np.argmax(sharp[members])]
        bursts.append(Burst(int(face), tuple(sorted(members.tolist()))))
    bursts += [Burst(row, (row,)) for row in np.flatnonzero(alone).tolist()]
    return tuple(sorted(bursts, key=lambda burst: burst.members))


def sketch(image: Image.Image) -> NDArray[np.float32]:
    """Describe a picture by the directions of its edges and its colours, place by place.

    Like one SIFT descriptor of the whole picture at 48 x 48 pixels: histograms of the direction of
    the gradient, weighted by its length, in 6 x 6 cells that run into one another; beside them the
    mean colours of the cells. Edges hardly change with brightness and compression, and wide cells
    forgive a crop or a small turn.

    Parameters
    ----------
    image
        RGB, of any size.

    Returns
    -------
    NDArray
        (396,) float32 of length 1, or zero for a picture of one colour. The inner product of two
        tells how alike the pictures are, 1 for equal ones.

    References
    ----------
    Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004.
    """
    size = (_PIXELS + 2, _PIXELS + 2)
    grey = np.asarray(image.convert("L").resize(size, Image.Resampling.LANCZOS), np.float32)
    across, down = grey[1:-1, 2:] - grey[1:-1, :-2], grey[2:, 1:-1] - grey[:-2, 1:-1]
    angle = np.arctan2(down, across) * (_DIRECTIONS / (2 * np.pi))
    off = np.abs(angle[..., None] - np.arange(_DIRECTIONS)) % _DIRECTIONS
    off = np.minimum(off, _DIRECTIONS - off)
    votes = np.hypot(across, down)[..., None] * np.maximum(1 - off, 0)
    centres = (np.arange(_PIXELS) + 0.5) * (_CELLS / _PIXELS) - 0.5
    near = np.maximum(1 - np.abs(centres - np.arange(_CELLS)[:, None]), 0)
    edges = np.minimum(_unit(np.einsum("ci,ijb,dj->cdb", near, votes, near).ravel()), 0.2)
    cells = image.convert("YCbCr").resize((_CELLS, _CELLS), Image.Resampling.BOX)
    colours = np.asarray(cells, np.float32) * (1, 2, 2)
    colours = (colours - colours.mean(axis=(0, 1))).ravel()
    both = np.concatenate([_unit(edges - edges.mean()), _COLOUR * _unit(colours)])
    return _unit(both).astype(np.float32)


def is_page(image: Image.Image) -> bool:
    """Tell whether a picture may be a page of text, of which half and more has the same grey."""
    grey = image.convert("L").resize((_GRAIN, _GRAIN), Image.Resampling.BOX)
    counts = np.convolve(grey.histogram(), np.ones(_SHADES))
    return bool(counts.max() >= _PLAIN * _GRAIN**2)


def sharpness(image: Image.Image) -> float:
    """Measure sharpness: the variance of the Laplacian, over that of the picture's greys.

    Every picture is first scaled to 512 pixels on its shorter side (a strip to 8192 on its longer
    one), so that an enlarged copy is less sharp; the ratio leaves brightness out.

    References
    ----------
    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    scale = min(_SHARP / min(image.size), _LONGEST / max(image.size))
    size = (max(3, round(image.width * scale)), max(3, round(image.height * scale)))
    grey = np.asarray(image.convert("L").resize(size, Image.Resampling.BICUBIC), np.float32)
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    variance = float(grey.var())
    return float((around - 4 * grey[1:-1, 1:-1]).var()) / variance if variance else 0.0


def near_duplicates(
    sketches: NDArray[np.float32],
    seconds: NDArray[np.float64] | None = None,
    pages: NDArray[np.bool_] | None = None,
) -> list[NDArray[np.intp]]:
    """Group pictures that are nearly the same around the one that has the most near-duplicates.

    Parameters
    ----------
    sketches
        (n, 396) float32, see `sketch`, in an order that settles ties. Two are near-duplicates when
        their inner product is `ALIKE` or more.
    seconds
        (n,) float64, when they were taken, NaN for unknown; two that are known to be more than
        `APART` from one another are no near-duplicates.
    pages
        (n,) which are pages, see `is_page`: two of them must reach `PAGES_ALIKE`.

    Returns
    -------
    list of NDArray
        Groups of two rows or more, ascending; no row is in two of them.

    References
    ----------
    Star clusters: Aslam, Pelekhov and Rus, "The star clustering algorithm", JGAA 2004.
    """
    if seconds is None:
        seconds = np.full(len(sketches), np.nan)
    if pages is None:
        pages = np.zeros(len(sketches), bool)
    alone = [~near.any(axis=1) for near in _near(sketches, seconds, pages)]
    rows = np.flatnonzero(~np.concatenate([*alone, np.empty(0, bool)]))
    left = np.ones(len(rows), bool)
    near_of = np.empty((len(rows), -(-len(rows) // 8)), np.uint8)  # a bit for each pair
    n_near = np.empty(len(rows), np.intp)
    blocks = _near(sketches[rows], seconds[rows], pages[rows])
    for start, near in zip(range(0, len(rows), _BLOCK), blocks, strict=True):
        near_of[start : start + _BLOCK] = np.packbits(near, axis=1)
        n_near[start : start + _BLOCK] = near.sum(axis=1)
    groups = []
    for row in np.argsort(-n_near, kind="stable"):
        if left[row]:
            near = np.unpackbits(near_of[row], count=len(rows)).view(bool) & left
            near[row] = True
            left &= ~near
            groups += [rows[near]] if near.sum() > 1 else []
    return groups


def _near(
    sketches: NDArray[np.float32], seconds: NDArray[np.float64], pages: NDArray[np.bool_]
) -> Iterator[NDArray[np.bool_]]:
    """Mark the near-duplicates of some rows after others, themselves left out."""
    for start in range(0, len(sketches), _BLOCK):
        rows = slice(start, start + _BLOCK)
        both = pages[rows, None] & pages
        near = sketches[rows] @ sketches.T >= np.where(both, PAGES_ALIKE, ALIKE)
        # A comparison with NaN is false.
        near &= ~(np.abs(seconds[rows, None] - seconds) > APART)
        near[np.arange(len(near)), start + np.arange(len(near))] = False
        yield near


def _seconds(times: Sequence[datetime | None]) -> NDArray[np.float64]:
    stamps = np.array(times, "datetime64[us]")
    return np.where(np.isnat(stamps), np.nan, stamps.astype(np.int64) / 1e6)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(vector)
    return vector / length if length > 0 else vector
