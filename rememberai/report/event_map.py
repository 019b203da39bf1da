"""A picture of all photos in two dimensions, in which near ones have like words."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from rememberai._arrays import check_metric, prepare
from rememberai._optional import require
from rememberai.errors import InputError, MissingExtraError, RememberAIWarning
from rememberai.events.kmeans import canonical_order
from rememberai.index.knn import knn
from rememberai.records import quiet
from rememberai.report.neighbors import nearest_of_each

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import ArrayLike, NDArray

    from rememberai.records import Metric, Progress

_SEARCHED = 4_096  # of fewer points umap-learn compares all with all by itself
_UMAP_METRIC = {"cosine": "cosine", "l2": "euclidean"}


class EventMap:
    """Lay vectors out in two dimensions, by UMAP, or by PCA where that can't be.

    The picture is for looking; it decides nothing. The same vectors give the same picture in
    whatever order they come, and equal vectors get the same place. PCA steps in where umap-learn
    is not installed, which a `RememberAIWarning` says, and where there are no more than
    `n_neighbors` distinct vectors, which UMAP would all join with each other.

    UMAP begins with the picture by PCA, which keeps the large structure about as well as the
    graph's eigenvectors do, umap-learn's usual beginning, and takes no time.

    Parameters
    ----------
    n_neighbors
        How many nearest vectors, itself among them, each one is to stay close to; from 2 on.
    min_dist
        How closely points may be packed, from 0 to 1.
    metric
        ``"cosine"`` or ``"l2"``.
    random_state
        Seed of UMAP, which then runs in one thread.

    Attributes
    ----------
    embedding_
        (n, 2) float32, the place of each vector in units that mean nothing.
    method_
        ``"umap"`` or ``"pca"``.

    References
    ----------
    McInnes, Healy and Melville, "UMAP: uniform manifold approximation and projection for dimension
    reduction", arXiv:1802.03426, 2018; how it begins: Kobak and Linderman, "Initialization is
    critical for preserving global data structure in both t-SNE and UMAP", Nature Biotechnology,
    2021.
    """

    def __init__(
        self,
        *,
        n_neighbors: int = 15,
        min_dist: float = 0.1,
        metric: Metric = "cosine",
        random_state: int = 0,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.min_dist = min_dist
        self.metric = metric
        self.random_state = random_state

    def fit(
        self,
        vectors: ArrayLike,
        *,
        neighbors: tuple[ArrayLike, ArrayLike] | None = None,
        progress: Progress | None = None,
    ) -> Self:
        """Lay out vectors.

        Parameters
        ----------
        vectors
            (n, dimension), n at least 1.
        neighbors
            (n, k) distances to the nearest vectors and (n, k) their positions, the nearest first
            and each vector among its own, where somebody knows them already; UMAP then need not
            look for them. They are passed over where they leave a vector with fewer than
            `n_neighbors` distinct ones. FAISS finds those of 4,096 vectors and more: exactly up to
            20,000, and of more nearly all.
        progress
            Called as ``progress("neighbors", done, total)`` with the vectors whose neighbours are
            known, where FAISS looks for them, and as ``progress("map", done, total)``: of 1 until
            UMAP has begun, then of its epochs.

        Raises
        ------
        InputError
            A parameter is out of its range, or the arrays can't be used.
        """
        self._check()
        array = prepare(vectors, self.metric)
        if not len(array):
            raise InputError("a map needs at least one vector; none came")
        tick = progress or quiet
        tick("map", 0, 1)
        known = None if neighbors is None else _checked_neighbors(neighbors, len(array))
        self._points, of_point = _distinct(array)
        picture = None
        if len(self._points) > self.n_neighbors:
            picture = self._umap(_among_distinct(known, of_point, self.n_neighbors), progress)
        self.method_: Literal["umap", "pca"] = "pca" if picture is None else "umap"
        if picture is None:
            self._mean, self._axes = principal_axes(self._points)
            picture = self._projected(self._points)
            tick("map", 1, 1)
        self._picture: NDArray[np.float32] = picture
        self.embedding_: NDArray[np.float32] = picture[of_point]
        return self

    def fit_transform(
        self,
        vectors: ArrayLike,
        *,
        neighbors: tuple[ArrayLike, ArrayLike] | None = None,
        progress: Progress | None = None,
    ) -> NDArray[np.float32]:
        """Lay out vectors and give their places; see `fit`."""
        return self.fit(vectors, neighbors=neighbors, progress=progress).embedding_

    def transform(self, vectors: ArrayLike) -> NDArray[np.float32]:
        """Place new vectors in the picture, in which nothing moves.

        Each is placed by itself, so its place does not depend on those that come with it. A vector
        that was fitted gets the place it has.

        Parameters
        ----------
        vectors
            (n, dimension).

        Returns
        -------
        NDArray[np.float32]
            (n, 2) places: PCA projects; UMAP's are as of `place_among`.

        Raises
        ------
        InputError
            The vectors do not fit, or nothing was fitted.
        """
        if not hasattr(self, "_points"):
            raise InputError("nothing was fitted yet; call fit first")
        array = prepare(vectors, self.metric, dimension=self._points.shape[1])
        if self.method_ == "pca":
            return self._projected(array)
        return place_among(array, self._points, self._picture, self.n_neighbors, self.metric)

    def _check(self) -> None:
        check_metric(self.metric)
        if self.n_neighbors < 2:
            raise InputError(f"n_neighbors must be at least 2; {self.n_neighbors} came")
        if not 0 <= self.min_dist <= 1:
            raise InputError(f"min_dist must be from 0 to 1; {self.min_dist} came")

    def _umap(
        self,
        known: tuple[NDArray[np.int32], NDArray[np.float32]] | None,
        progress: Progress | None,
    ) -> NDArray[np.float32] | None:
        """Lay the points out by umap-learn; None where it is not installed."""
        try:
            umap = require("umap")
        except MissingExtraError as error:
            warnings.warn(f"the map is made by PCA: {error}", RememberAIWarning, stacklevel=3)
            return None
        known = known or self._searched(progress or quiet)
        epochs = None if progress is None else _Epochs(progress)
        reducer = umap.UMAP(
            n_neighbors=self.n_neighbors,
            min_dist=self.min_dist,
            metric=_UMAP_METRIC[self.metric],
            init="pca" if self._points.shape[1] > 1 else "spectral",
            random_state=self.random_state,
            n_jobs=1,
            tqdm_kwds=None if epochs is None else epochs.bar(),
            **({} if known is None else {"precomputed_knn": known}),
        )
        with warnings.catch_warnings():
            # Without a search index of its own UMAP can't transform, which is not asked of it.
            warnings.filterwarnings("ignore", "precomputed_knn", UserWarning)
            picture: NDArray[np.float32] = reducer.fit_transform(self._points)
        if epochs is not None:
            epochs.end()
        return picture

    def _searched(self, progress: Progress) -> tuple[NDArray[np.int32], NDArray[np.float32]] | None:
        """Look for all points' neighbours; None where umap-learn shall, or FAISS is absent."""
        if len(self._points) < _SEARCHED:
            return None
        told = partial(progress, "neighbors")
        try:
            return nearest_of_each(self._points, self.n_neighbors, self.metric, told=told)
        except MissingExtraError:
            return None

    def _projected(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        projected: NDArray[np.float32] = ((array - self._mean) @ self._axes).astype(np.float32)
        return projected


class _Epochs:
    """The file that umap-learn's bar is written to: it tells how many epochs are done.

    In a notebook umap-learn draws its bar without a file; the end alone is told there.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._total = 1

    def bar(self) -> dict[str, Any]:
        """Give the arguments of tqdm."""
        return {"disable": False, "file": self, "bar_format": "{n_fmt} {total_fmt}", "miniters": 1}

    def write(self, text: str) -> None:
        counts = text.split()
        if counts:
            done, self._total = map(int, counts)
            self._progress("map", done, self._total)

    def end(self) -> None:
        """Tell that all are done."""
        self._progress("map", self._total, self._total)

    def flush(self) -> None:
        pass


def place_among(
    new: NDArray[np.float32],
    known: NDArray[np.float32],
    picture: NDArray[np.float32],
    n_neighbors: int,
    metric: Metric,
) -> NDArray[np.float32]:
    """Place new vectors in a picture by their nearest known ones.

    Parameters
    ----------
    new, known
        (n, dimension) and (m, dimension) vectors, prepared for the metric.
    picture
        (m, 2) places of the known ones.

    Returns
    -------
    NDArray[np.float32]
        (n, 2): the weighted medoid of the places of the nearest known vectors, which no stray
        neighbour pulls between two groups, averaged with the third of them that is nearest to it.
        A vector that is known has its place.
    """
    distances, nearest = knn(new, known, min(n_neighbors, len(known)), metric)
    few = -(-nearest.shape[1] // 3)
    around = picture[nearest].astype(np.float64)
    further = distances - distances[:, :1]
    typical = np.maximum(further.mean(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    weights = np.exp(-further / typical)
    apart = np.linalg.norm(around[:, :, None] - around[:, None], axis=3)
    medoid = np.einsum("nij,nj->ni", apart, weights).argmin(axis=1)
    near = apart[np.arange(len(new)), medoid].argsort(axis=1, kind="stable")[:, :few]
    places: NDArray[np.float32] = np.take_along_axis(around, near[:, :, None], 1).mean(
        axis=1, dtype=np.float32
    )
    same = distances[:, 0] == 0
    places[same] = picture[nearest[same, 0]]
    return places


def principal_axes(
    points: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the two directions in which points spread most.

    Returns
    -------
    tuple
        (dimension,) mean and (dimension, 2) unit vectors, whose largest entry is positive; zeros
        where there are not two directions.
    """
    mean = points.mean(axis=0, dtype=np.float64)
    centred = points - mean
    axes = np.linalg.eigh(centred.T @ centred)[1][:, :-3:-1]
    axes *= np.sign(np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], 0))
    return mean, np.pad(axes, ((0, 0), (0, 2 - axes.shape[1])))


def _distinct(array: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Give the distinct rows in canonical order, and which of them each row is."""
    order = canonical_order(array)
    ordered = array[order]
    first = np.r_[True, (ordered[1:] != ordered[:-1]).any(axis=1)]
    of_point = np.empty(len(array), np.intp)
    of_point[order] = np.cumsum(first) - 1
    return ordered[first], of_point


def _checked_neighbors(
    neighbors: tuple[ArrayLike, ArrayLike], n: int
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    distances = np.asarray(neighbors[0], np.float32)
    positions = np.asarray(neighbors[1], np.intp)
    if distances.ndim != 2 or distances.shape != positions.shape or len(positions) != n:
        raise InputError(
            f"neighbors must be distances and positions of the shape ({n}, k); the shapes "
            f"{distances.shape} and {positions.shape} came"
        )
    if positions.size and not 0 <= positions.min() <= positions.max() < n:
        raise InputError(f"positions of neighbors must be from 0 to {n - 1}")
    return distances, positions


def _among_distinct(
    known: tuple[NDArray[np.float32], NDArray[np.intp]] | None,
    of_point: NDArray[np.intp],
    k: int,
) -> tuple[NDArray[np.int32], NDArray[np.float32]] | None:
    """Turn neighbours of rows into k of distinct points; None where some point has fewer."""
    if known is None:
        return None
    row_of = np.unique(of_point, return_index=True)[1]
    distances, points = known[0][row_of], of_point[known[1][row_of]]
    # The first time that a row names a point is that of the stable order by point.
    order = np.argsort(points, axis=1, kind="stable")
    ordered = np.take_along_axis(points, order, 1)
    again = np.zeros(points.shape, bool)
    np.put_along_axis(again, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], 1)
    if points.shape[1] < k or (points.shape[1] - again.sum(axis=1)).min() < k:
        return None
    kept = np.argsort(again, axis=1, kind="stable")[:, :k]
    return (
        np.take_along_axis(points, kept, 1).astype(np.int32),
        np.take_along_axis(distances, kept, 1),
    )
