"""The same input gives the same output, whatever its order and the number of threads."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from blobs import blobs, distances

from rememberai import AlbumClusterer, EventAssigner, EventPrototypes
from rememberai._arrays import prepare
from rememberai.index.knn import knn

pytest.importorskip("faiss")
METRICS = ["cosine", "l2"]

# Everything that events/ learns from 1,500 vectors as long as MiniLM's, as one digest.
DIGEST = """
import hashlib, sys
import numpy as np
from rememberai import AlbumClusterer, EventAssigner, EventPrototypes
from rememberai._faiss import import_faiss
random = np.random.default_rng(0)
labels = np.arange(1500) % 12
events = labels.astype(str).tolist()
vectors = random.normal(size=(12, 384))[labels] + 1.5 * random.normal(size=(1500, 384))
digest = hashlib.sha256()
for metric in ("cosine", "l2"):
    assigner = EventAssigner(EventPrototypes(metric=metric)).fit(vectors, events)
    photos = assigner.assign(vectors + 0.1)
    found = AlbumClusterer(metric=metric).fit(vectors)
    plain = AlbumClusterer(metric=metric, refine=False).fit(vectors)
    central = EventPrototypes(selection="seed-clusters", metric=metric).fit(vectors, events)
    for learned in (
        assigner.prototypes_.positions_, assigner.limits_, photos.probabilities, photos.distances,
        found.labels_, found.centroids_, found.distances_, plain.labels_, plain.centroids_,
        central.positions_,
    ):
        digest.update(learned.tobytes())
    told = assigner.calibration_.temperature_, assigner.assign_album(vectors[:99])
    digest.update(repr(told).encode())
print(import_faiss().omp_get_max_threads(), digest.hexdigest())
"""


def test_one_thread_or_two():
    told = [
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            env=os.environ | {"OMP_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": n},
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        ).stdout.split()
        for n in ("1", "2")
    ]
    assert [threads for threads, _ in told] == ["1", "2"]
    assert told[0][1] == told[1][1]


@pytest.mark.parametrize("metric", METRICS)
def test_any_order_of_many_long_vectors(metric):
    vectors, truth = blobs(9, 90, 384, spread=1.5)
    events = truth.astype(str)
    order = np.random.default_rng(1).permutation(len(vectors))
    first, again = (
        EventAssigner(EventPrototypes(metric=metric)).fit(vectors[rows], events[rows].tolist())
        for rows in (np.arange(len(vectors)), order)
    )
    np.testing.assert_array_equal(first.prototypes_.positions_, order[again.prototypes_.positions_])
    assert again.calibration_.temperature_ == pytest.approx(first.calibration_.temperature_)
    for refine in (True, False):
        first, again = (
            AlbumClusterer(metric=metric, refine=refine).fit(vectors[rows])
            for rows in (np.arange(len(vectors)), order)
        )
        np.testing.assert_array_equal(again.labels_, first.labels_[order])
        np.testing.assert_array_equal(again.centroids_, first.centroids_)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("refine", [True, False])
@pytest.mark.parametrize("size", [8, 90])
def test_last_digits_change_no_cluster(metric, refine, size):
    vectors = prepare(blobs(9, size, 384, spread=1.5, seed=2)[0], metric)
    random = np.random.default_rng(1)
    first = AlbumClusterer(metric=metric, refine=refine).fit(vectors)
    for _ in range(3):
        noise = random.normal(size=vectors.shape) * 1e-7
        again = AlbumClusterer(metric=metric, refine=refine).fit(vectors + noise)
        np.testing.assert_array_equal(again.labels_, first.labels_)


@pytest.mark.parametrize(("metric", "offset"), [("cosine", 0), ("l2", 0), ("l2", 30_000)])
@pytest.mark.parametrize(("n_queries", "dimension"), [(100, 40), (400, 384), (20, 16_384)])
def test_neighbours_do_not_depend_on_the_company_of_a_query(metric, offset, n_queries, dimension):
    random = np.random.default_rng(2)
    # Whole numbers: the sums are exact, and so are the ties, which the lower position wins.
    base = prepare(offset + random.integers(-3, 4, size=(200, dimension)), metric)
    queries = prepare(offset + random.integers(-3, 4, size=(n_queries, dimension)), metric)
    together = knn(queries, base, 6, metric)
    singly = [knn(query[None], base, 6, metric) for query in queries]
    alone = [np.vstack(each) for each in zip(*singly, strict=True)]
    order = random.permutation(200)
    mixed = knn(queries, base[order], 6, metric)
    exact = np.sort(np.vstack([distances(query[None], base, metric) for query in queries]))[:, :6]
    for apart, positions in (together, alone, (mixed[0], order[mixed[1]])):
        np.testing.assert_allclose(apart, exact, rtol=1e-3, atol=2e-7)
        assert (np.diff(apart, axis=1) >= 0).all()
        assert all(len(set(row)) == 6 for row in positions.tolist())
    tied = np.diff(together[0], axis=1) == 0
    assert (np.diff(together[1], axis=1)[tied] > 0).all()
    if metric == "l2":
        assert tied.any() or dimension > 40
        np.testing.assert_array_equal(together[0], alone[0])
        np.testing.assert_array_equal(together[0], mixed[0])
