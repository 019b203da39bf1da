"""Other systems on the same vectors: clustering, and learning events from seeds.

Run as a process by an interpreter that has them: ``python -m benchmarks._event_peers SYSTEM FILE``.
FILE holds ``vectors``, ``labels``, ``train`` and ``texts``; printed is one JSON object. Each is set
as its documentation begins, with the number of clusters where it takes one.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from importlib.metadata import version
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Labels = NDArray[Any]
    Texts = tuple[list[str], list[str]]  # of the seeds, of the queries

_PROTOTYPES = 10


def rememberai(vectors: Vectors, k: int, _: Sequence[str]) -> Labels:
    """Cluster with the library, number known."""
    from rememberai import AlbumClusterer

    return AlbumClusterer(k, min_size=1).fit(vectors).labels_


def rememberai_auto(vectors: Vectors, _k: int, _: Sequence[str]) -> Labels:
    """Cluster with the library, number unknown."""
    from rememberai import AlbumClusterer

    return AlbumClusterer(min_size=1).fit(vectors).labels_


def faiss_kmeans(vectors: Vectors, k: int, _: Sequence[str]) -> Labels:
    """Run FAISS as it comes."""
    from rememberai._faiss import import_faiss

    run = import_faiss().Kmeans(vectors.shape[1], k, spherical=True)
    run.train(vectors)
    return run.index.search(vectors, 1)[1][:, 0]


def sklearn_kmeans(vectors: Vectors, k: int, _: Sequence[str]) -> Labels:
    """Run k-means++ with ten restarts."""
    from sklearn.cluster import KMeans

    return KMeans(k, n_init=10, random_state=0).fit_predict(vectors)


def evoc(vectors: Vectors, _k: int, _: Sequence[str]) -> Labels:
    """Run EVoC, number unknown."""
    from evoc import EVoC

    return EVoC().fit_predict(vectors)


def bertopic(vectors: Vectors, _k: int, texts: Sequence[str]) -> Labels:
    """Run UMAP and HDBSCAN as BERTopic sets them, number unknown."""
    from bertopic import BERTopic
    from umap import UMAP

    reduce = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=0)
    topics, _ = BERTopic(umap_model=reduce).fit_transform(list(texts), vectors)
    return np.array(topics)


CLUSTERERS: dict[str, Callable[[Vectors, int, Sequence[str]], Labels]] = {
    "RememberAI": rememberai,
    "FAISS k-means": faiss_kmeans,
    "scikit-learn KMeans": sklearn_kmeans,
    "RememberAI, number unknown": rememberai_auto,
    "EVoC": evoc,
    "BERTopic": bertopic,
}


def _library(*, words: bool = False, **options: Any) -> Callable[..., Labels]:
    def answer(x: Vectors, y: Labels, asked: Vectors, texts: Texts) -> Labels:
        from rememberai import EventAssigner

        taught, told = texts if words else (None, None)
        assigner = EventAssigner(**options).fit(x, y.tolist(), taught)
        found = assigner.assign(asked, told).probabilities.argmax(axis=1)
        return np.array(assigner.events_)[found]

    return answer


def _sklearn(name: str) -> Callable[..., Labels]:
    def answer(x: Vectors, y: Labels, asked: Vectors, _: Texts) -> Labels:
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
        from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

        model = {
            "NearestCentroid": lambda: NearestCentroid(),
            "KNeighborsClassifier": lambda: KNeighborsClassifier(20, metric="cosine"),
            "LinearDiscriminantAnalysis": lambda: LinearDiscriminantAnalysis("lsqr", "auto"),
        }[name]()
        return model.fit(x, y).predict(asked)

    return answer


def bertopic_documents(x: Vectors, y: Labels, asked: Vectors, texts: Texts) -> Labels:
    """Let the nearest of the documents vote that BERTopic chooses, ten to represent a class."""
    import pandas as pd
    from bertopic import BERTopic
    from bertopic.cluster import BaseCluster
    from bertopic.dimensionality import BaseDimensionalityReduction

    _, classes = np.unique(y, return_inverse=True)
    model = BERTopic(umap_model=BaseDimensionalityReduction(), hdbscan_model=BaseCluster())
    taught, _ = texts
    topics, _ = model.fit_transform(taught, x, y=classes)
    documents = pd.DataFrame({"Document": taught, "Topic": topics, "ID": range(len(x))})
    documents["Image"] = None
    *_, rows = model._extract_representative_docs(
        model.c_tf_idf_, documents, model.topic_representations_, 500, _PROTOTYPES
    )
    chosen = np.concatenate([np.asarray(some) for some in rows])
    nearest = (asked @ x[chosen].T).argmax(axis=1)
    return y[chosen][nearest]


LEARNERS: dict[str, Callable[..., Labels]] = {
    "RememberAI": _library(),
    "RememberAI, with the words": _library(words=True),
    "RememberAI, prototypes alone": _library(method="kernel"),
    "NearestCentroid": _sklearn("NearestCentroid"),
    "KNeighborsClassifier": _sklearn("KNeighborsClassifier"),
    "LinearDiscriminantAnalysis": _sklearn("LinearDiscriminantAnalysis"),
    "BERTopic's representative documents": bertopic_documents,
}
_PACKAGES = ("faiss-cpu", "scikit-learn", "evoc", "bertopic", "umap-learn", "hdbscan")


def main(system: str, path: str) -> dict[str, Any]:
    """Run one system; the first call, which may compile, is not timed."""
    given = np.load(path)
    vectors, labels, train = given["vectors"], given["labels"], given["train"]
    texts = given["texts"].tolist()
    if len(train) == 0:
        k, run = len(np.unique(labels)), CLUSTERERS[system]
        run(vectors[:500], min(k, 20), texts[:500])
        start = perf_counter()
        found = run(vectors, k, texts)
        seconds = perf_counter() - start
        from benchmarks._event_arms import cluster_scores

        figures = cluster_scores(np.asarray(found), labels)
    else:
        asked = np.setdiff1d(np.arange(len(labels)), train)
        start = perf_counter()
        found = LEARNERS[system](
            vectors[train],
            labels[train],
            vectors[asked],
            ([texts[i] for i in train], [texts[i] for i in asked]),
        )
        seconds = perf_counter() - start
        figures = {"accuracy": float(np.mean(found == labels[asked])), "n": len(asked)}
    names = Counter(_PACKAGES)
    figures["versions"] = {name: found for name in names if (found := _version(name))}
    return {**figures, "seconds": seconds}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except ImportError:
        return None


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:3])))
