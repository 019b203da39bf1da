"""What the events benchmark varies, and how an arm is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from benchmarks._records import Record
    from rememberai.records import Metric

    Vectors = NDArray[np.float32]
    View = Callable[[Vectors], Vectors]

METRICS = ("cosine", "raw L2", "centred cosine", "whitened")
SELECTIONS = ("likelihood", "facility-location", "max-herding", "seed-clusters", "herding")
SELECTIONS += ("centroid", "k-center", "random", "periphery")
METHODS = ("fused", "plain", "similarity", "kernel", "nearest-mean", "gaussian")
NUMBERS = (1, 3, 5, 10, 20, 50)
_DRAWS = 2000


def view_of(metric: str, seeds: Vectors, labels: NDArray[Any]) -> tuple[View, Metric]:
    """Give the map of vectors, learned from seeds, and the library's metric that make an arm.

    Whitened is the Euclidean distance after the covariance within the classes, shrunk as Ledoit
    and Wolf do, has become the unit matrix.
    """
    if metric == "raw L2":
        return lambda vectors: vectors, "l2"
    if metric == "cosine":
        return lambda vectors: vectors, "cosine"
    from sklearn.covariance import ledoit_wolf

    centre = seeds.mean(axis=0)
    if metric == "centred cosine":
        return lambda vectors: vectors - centre, "cosine"
    own = {label: seeds[labels == label].mean(axis=0) for label in np.unique(labels)}
    within = seeds - np.stack([own[label] for label in labels])
    values, axes = np.linalg.eigh(ledoit_wolf(within, assume_centered=True)[0])
    whiten = (axes / np.sqrt(np.maximum(values, 1e-12))).astype(np.float32)
    return lambda vectors: (vectors - centre) @ whiten, "l2"


def packed(hits: Sequence[bool] | NDArray[np.bool_]) -> str:
    """Write hits and misses as hexadecimal digits."""
    return np.packbits(np.asarray(hits, bool)).tobytes().hex()


def unpacked(text: str, n: int) -> NDArray[np.bool_]:
    """Read what `packed` wrote."""
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8))[:n]
    return bits.astype(bool)


def judged(hits: Sequence[bool] | NDArray[np.bool_], units: Sequence[int]) -> Record:
    """Make the figures of one repeat: the hits, and whose they are (users, albums, texts)."""
    return {
        "accuracy": float(np.mean(hits)),
        "n": len(hits),
        "hits": packed(hits),
        "units": list(units),
    }


def interval(repeats: Sequence[Record]) -> tuple[float, float]:
    """Bootstrap the mean accuracy over repeats: units are drawn anew, training is not repeated.

    Where no units are known, each answer is its own.
    """
    random = np.random.default_rng(0)
    if not repeats[0]["units"]:
        drawn = [random.binomial(r["n"], r["accuracy"], _DRAWS) / r["n"] for r in repeats]
    else:
        everyone = sorted({unit for r in repeats for unit in r["units"]})
        even = np.full(len(everyone), 1 / len(everyone))
        times = random.multinomial(len(everyone), even, size=_DRAWS)
        drawn = []
        for r in repeats:
            weights = times[:, np.searchsorted(everyone, r["units"])]
            hits = unpacked(r["hits"], r["n"])
            drawn.append((weights @ hits) / np.maximum(weights.sum(axis=1), 1))
    low, high = np.quantile(np.mean(drawn, axis=0), (0.025, 0.975))
    return float(low), float(high)


def calibration_error(probabilities: NDArray[np.float64], hits: NDArray[np.bool_]) -> float:
    """Measure the expected calibration error in ten bins of like width."""
    bins = np.minimum((probabilities * 10).astype(int), 9)
    return float(
        sum(
            abs(hits[bins == b].mean() - probabilities[bins == b].mean()) * np.mean(bins == b)
            for b in np.unique(bins)
        )
    )


def cluster_scores(labels: NDArray[Any], truth: NDArray[Any]) -> Record:
    """Measure accuracy under the best one-to-one match, NMI, and what was left as noise.

    Noise (-1) is wrong for the accuracy, and a cluster of its own for the NMI.
    """
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics import normalized_mutual_info_score

    names, found = np.unique(labels, return_inverse=True)
    classes, true = np.unique(truth, return_inverse=True)
    counts = np.zeros((len(names), len(classes)))
    np.add.at(counts, (found, true), 1)
    counts[names == -1] = 0
    rows, columns = linear_sum_assignment(-counts)
    return {
        "accuracy": float(counts[rows, columns].sum() / len(truth)),
        "nmi": float(normalized_mutual_info_score(true, found)),
        "clusters": int(np.sum(names != -1)),
        "classes": len(classes),
        "noise": float(np.mean(np.asarray(labels) == -1)),
    }
