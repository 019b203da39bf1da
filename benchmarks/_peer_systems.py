"""RememberAI and its peers behind one face, each as its documentation begins, with cosine.

A system is made with its folder. `ingest` must leave on the disk all that a later process needs;
`open` is that later process. `search`, `batch` and `filtered` give ids, `filtered` those of one
album only. What a system can't do is not there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

STEP = 5_000  # rows in a batch; Chroma takes at most 5,461


class Rows:
    """Photos to store: vectors with ids, albums, times and texts, as Python's own values.

    Attributes
    ----------
    folder
        Where `vectors.npy` and `queries.npy` lie.
    """

    def __init__(self, folder: Path) -> None:
        from datetime import datetime, timedelta

        self.folder = folder
        self.vectors: Vectors = np.load(folder / "vectors.npy")
        self.albums: list[str] = np.load(folder / "albums.npy").tolist()
        start = datetime(2001, 1, 1)
        self.taken = [start + timedelta(minutes=i) for i in range(len(self.albums))]
        self.texts = [f"memory {i}" for i in range(len(self.albums))]
        self.ids = [f"photo-{i:07d}" for i in range(len(self.albums))]

    def parts(self) -> Iterator[slice]:
        """Cut into batches."""
        for start in range(0, len(self.ids), STEP):
            yield slice(start, start + STEP)

    def drafts(self, part: slice) -> list[dict[str, Any]]:
        """Lay rows out as dictionaries, without vectors."""
        names = ("id", "album", "taken", "text")
        columns = (self.ids[part], self.albums[part], self.taken[part], self.texts[part])
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


class RememberAI:
    """The store and its index, as the facade uses them."""

    packages = ("pylance", "faiss-cpu")

    def __init__(self, folder: Path) -> None:
        import lance  # noqa: F401 - as for every system, imports are not part of opening

        from rememberai._faiss import import_faiss
        from rememberai.index_cache import cached_index
        from rememberai.store import MemoryStore
        from rememberai.store.schema import to_table

        import_faiss()
        self.path, self._index_of = folder / "s.memories", cached_index
        self._stores, self._to_table = MemoryStore, to_table

    def ingest(self, rows: Rows) -> None:
        store = self._stores.create(
            self.path, model_id="given@1", dimension=rows.vectors.shape[1], metric="cosine"
        )
        for part in rows.parts():
            drafts = [
                {
                    "photo_id": row["id"],
                    "name": row["id"],
                    "album": row["album"],
                    "taken": row["taken"],
                    "memory": row["text"],
                }
                for row in rows.drafts(part)
            ]
            store.upsert(self._to_table(drafts, rows.vectors[part]))
        self._index_of(store)

    def open(self) -> None:
        self.store = self._stores.open(self.path)
        self.index = self._index_of(self.store)

    def search(self, query: Vectors, k: int) -> Sequence[str]:
        return self.index.search(query[None], k).ids[0]

    def batch(self, queries: Vectors, k: int) -> Sequence[Sequence[str]]:
        return self.index.search(queries, k).ids

    def filtered(self, query: Vectors, k: int, album: str) -> Sequence[str]:
        ids = self.store.read(["photo_id"], where=f"album = '{album}'")["photo_id"]
        return self.index.search(query[None], k, filter=ids.to_pylist()).ids[0]


class Chroma:
    """A persistent client's collection."""

    packages = ("chromadb",)

    def __init__(self, folder: Path) -> None:
        import chromadb

        quiet = chromadb.Settings(anonymized_telemetry=False)
        self._client = lambda: chromadb.PersistentClient(str(folder / "chroma"), settings=quiet)

    def ingest(self, rows: Rows) -> None:
        photos = self._client().create_collection(
            "photos", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
        )
        for part in rows.parts():
            photos.add(
                ids=rows.ids[part],
                embeddings=rows.vectors[part],
                metadatas=[
                    {"album": row["album"], "taken": row["taken"].timestamp()}
                    for row in rows.drafts(part)
                ],
                documents=rows.texts[part],
            )

    def open(self) -> None:
        self.photos = self._client().get_collection("photos", embedding_function=None)

    def search(self, query: Vectors, k: int) -> Sequence[str]:
        return self.batch(query[None], k)[0]

    def batch(self, queries: Vectors, k: int) -> Sequence[Sequence[str]]:
        return self.photos.query(query_embeddings=queries, n_results=k, include=[])["ids"]

    def filtered(self, query: Vectors, k: int, album: str) -> Sequence[str]:
        return self.photos.query(
            query_embeddings=query[None], n_results=k, include=[], where={"album": album}
        )["ids"][0]


class LanceDB:
    """A table without an index, which is searched exhaustively."""

    packages = ("lancedb",)

    def __init__(self, folder: Path) -> None:
        import lancedb

        self._connect = lambda: lancedb.connect(folder / "lancedb")

    def ingest(self, rows: Rows) -> None:
        import pyarrow as pa

        table = None
        for part in rows.parts():
            vectors = rows.vectors[part]
            columns = {
                "id": rows.ids[part],
                "album": rows.albums[part],
                "taken": rows.taken[part],
                "text": rows.texts[part],
                "vector": pa.FixedSizeListArray.from_arrays(vectors.ravel(), vectors.shape[1]),
            }
            if table is None:
                table = self._connect().create_table("photos", pa.table(columns))
            else:
                table.add(pa.table(columns))
        self._finish(table)

    def _finish(self, table: Any) -> None:
        """Leave the table as it is."""

    def open(self) -> None:
        self.table = self._connect().open_table("photos")

    def search(self, query: Vectors, k: int) -> Sequence[str]:
        return self._nearest(query, k).to_arrow()["id"].to_pylist()

    def batch(self, queries: Vectors, k: int) -> Sequence[Sequence[str]]:
        found = (
            self._nearest(list(queries), k)
            .to_arrow()
            .sort_by([("query_index", "ascending"), ("_distance", "ascending")])
        )
        ids: list[list[str]] = [[] for _ in queries]
        for number, photo in zip(found["query_index"].to_pylist(), found["id"].to_pylist()):  # noqa: B905
            ids[number].append(photo)
        return ids

    def filtered(self, query: Vectors, k: int, album: str) -> Sequence[str]:
        return self._nearest(query, k).where(f"album = '{album}'").to_arrow()["id"].to_pylist()

    def _nearest(self, queries: Any, k: int) -> Any:
        return self.table.search(queries).distance_type("cosine").select(["id"]).limit(k)


class LanceDBIndexed(LanceDB):
    """A table with its default index, IVF-PQ."""

    def _finish(self, table: Any) -> None:
        table.create_index(metric="cosine", vector_column_name="vector")


class Txtai:
    """Embeddings with content, whose vectors come from outside: looked up by the text."""

    packages = ("txtai", "faiss-cpu")

    def __init__(self, folder: Path) -> None:
        import os

        os.environ["ALLOW_RESOLVE_TRANSFORM"] = "1"
        from txtai import Embeddings

        self._path = str(folder / "txtai")
        self._embeddings = Embeddings

    def ingest(self, rows: Rows) -> None:
        transform = f"{__name__}.txtai_vectors"
        embeddings = self._embeddings(method="external", transform=transform, content=True)
        everything = (row for part in rows.parts() for row in rows.drafts(part))
        embeddings.index({**row, "taken": row["taken"].isoformat()} for row in everything)
        embeddings.save(self._path)

    def open(self) -> None:
        self.embeddings = self._embeddings()
        self.embeddings.load(self._path)

    def search(self, query: Vectors, k: int) -> Sequence[str]:
        return [row["id"] for row in self.embeddings.search(_query_text(query), k)]

    def batch(self, queries: Vectors, k: int) -> Sequence[Sequence[str]]:
        found = self.embeddings.batchsearch([_query_text(query) for query in queries], k)
        return [[row["id"] for row in rows] for rows in found]

    def filtered(self, query: Vectors, k: int, album: str) -> Sequence[str]:
        words = f"similar('{_query_text(query)}') and album = '{album}'"
        return [r["id"] for r in self.embeddings.search(f"select id from txtai where {words}", k)]


class Usearch:
    """An index of vectors under numbers; it keeps no metadata and has no filter."""

    packages = ("usearch",)

    def __init__(self, folder: Path) -> None:
        from usearch.index import Index

        self._path, self._index = str(folder / "usearch.index"), Index

    def ingest(self, rows: Rows) -> None:
        index = self._index(ndim=rows.vectors.shape[1], metric="cos")
        for part in rows.parts():
            index.add(np.arange(len(rows.ids))[part], rows.vectors[part])
        index.save(self._path)

    def open(self) -> None:
        self.index = self._index.restore(self._path, view=True)

    def search(self, query: Vectors, k: int) -> Sequence[str]:
        return [f"photo-{key:07d}" for key in self.index.search(query, k).keys.tolist()]

    def batch(self, queries: Vectors, k: int) -> Sequence[Sequence[str]]:
        found = self.index.search(queries, k).keys.tolist()
        return [[f"photo-{key:07d}" for key in keys] for keys in found]


class MilvusLite:
    """A collection of the quick setup in a local file."""

    packages = ("milvus-lite", "pymilvus")

    def __init__(self, folder: Path) -> None:
        import milvus_lite  # noqa: F401 - without it the client looks for a server
        from pymilvus import MilvusClient

        self._client = lambda: MilvusClient(str(folder / "milvus.db"))

    def ingest(self, rows: Rows) -> None:
        client = self._client()
        client.create_collection(
            "photos",
            dimension=rows.vectors.shape[1],
            metric_type="COSINE",
            id_type="string",
            max_length=64,
        )
        for part in rows.parts():
            data = [
                {**row, "taken": row["taken"].isoformat(), "vector": vector}
                for row, vector in zip(rows.drafts(part), rows.vectors[part], strict=True)
            ]
            client.insert("photos", data)
        client.flush("photos")
        client.close()

    def open(self) -> None:
        self.client = self._client()
        self.client.load_collection("photos")

    def search(self, query: Vectors, k: int) -> Sequence[str]:
        return self.batch(query[None], k)[0]

    def batch(self, queries: Vectors, k: int) -> Sequence[Sequence[str]]:
        return self._ids(self.client.search("photos", data=list(queries), limit=k))

    def filtered(self, query: Vectors, k: int, album: str) -> Sequence[str]:
        where = f'album == "{album}"'
        return self._ids(self.client.search("photos", data=[query], limit=k, filter=where))[0]

    def _ids(self, found: Any) -> list[list[str]]:
        return [[hit["id"] for hit in hits] for hits in found]


SYSTEMS: dict[str, Any] = {
    "RememberAI": RememberAI,
    "Chroma": Chroma,
    "LanceDB, no index": LanceDB,
    "LanceDB, IVF-PQ": LanceDBIndexed,
    "txtai": Txtai,
    "usearch": Usearch,
    "milvus-lite": MilvusLite,
}

_queries: dict[bytes, str] = {}
_given: dict[str, Vectors] = {}


def use_vectors(rows: Rows, queries: Vectors) -> None:
    """Tell which vectors the texts of txtai stand for."""
    _given.update(memory=rows.vectors, query=queries)
    _queries.update((query.tobytes(), f"query {i}") for i, query in enumerate(queries))


def _query_text(query: Vectors) -> str:
    return _queries[query.tobytes()]


def txtai_vectors(texts: Sequence[str]) -> Vectors:
    """Look texts up."""
    words = [text.split() for text in texts]
    return np.stack([_given[kind][int(number)] for kind, number in words])
