"""What a GPU gains: search, k-means, texts, pictures and captions, on it and on the CPU by turns.

The models have the sizes of MiniLM, CLIP ViT-B/32 and ViT-GPT2 and random weights, which take as
long as trained ones. Without a GPU the CPU is measured alone.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np

from benchmarks._mixture import Mixture
from benchmarks._records import Run, arguments, figures, markdown, of_arm, paired_ratio
from benchmarks.captioning import by_hand, load_by_hand, make_photos, save_model
from benchmarks.memory import HashEmbedder
from rememberai import (
    ImageTextEmbedder,
    RememberAI,
    SentenceEmbedder,
    TransformersCaptioner,
    VectorIndex,
)
from rememberai._faiss import import_faiss
from rememberai.events.kmeans import kmeans
from rememberai.index import gpu
from rememberai.index.knn import knn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks._records import Record

    Ways = dict[str, Callable[[], Any]]

NAME = "gpu"
CPU, GPU, BY_HAND = "CPU", "GPU", "GPU by hand"
_DIMENSION, _K, _NEIGHBORS = 384, 10, 30
_WORDS = [f"word{i}" for i in range(5000)]
_SIZES = {
    "real": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12},
    "small": {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2},
}
_SBERT = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12}


def main(argv: list[str] | None = None) -> None:
    """Measure each task on the CPU and on the GPU by turns."""
    parser = arguments(
        __doc__, n=1_000_000, queries=1000, singles=50, points=100_000, graph=30_000, texts=10_000,
        pictures=256, photos=256, side=1600, batch_size=32, repeats=3,
    )  # fmt: skip
    parser.add_argument("--clusters", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--small", action="store_true", help="tiny models")
    options = parser.parse_args(argv)
    settings = {name: value for name, value in vars(options).items() if name != "records"}
    run = Run(NAME, settings | {"gpu": _name()}, folder=options.records)
    body = _SIZES["small" if options.small else "real"]
    for task in options.tasks:
        with tempfile.TemporaryDirectory() as folder:
            TASKS[task](run, options, Path(folder), body)
    print(table(run.records))


def search(run: Run, options: argparse.Namespace, *_: Any) -> None:
    """Search the same rows one query at a time and in a batch."""
    mixture = Mixture(_DIMENSION, 4000, 0)
    base = np.vstack([part for part, _ in mixture.parts(options.n, 0)])
    queries, _ = mixture.draw(options.queries, 1)
    ways: Ways = {}
    for what, device in _devices().items():
        index = VectorIndex(_DIMENSION, kind="flat", device=device)
        index.add(np.arange(options.n), base)
        ways[what] = lambda some, index=index: index.search(some, _K).ids  # type: ignore[misc]
    if gpu.there():
        faiss = import_faiss()
        raw = faiss.GpuIndexFlatIP(faiss.StandardGpuResources(), _DIMENSION)
        raw.add(base)
        ways[BY_HAND] = lambda some: raw.search(some, _K)[1]  # type: ignore[misc]
    found: dict[str, Any] = {}
    for what, way in ways.items():
        found[what] = way(queries)
        for single in queries[:40]:  # by then the CPU has its sketch
            way(single[None])
    agree = {what: float((ids == found[CPU]).mean()) for what, ids in found.items()}
    task = f"{options.queries:,} queries, {options.n:,} rows"
    _by_turns(
        run,
        options,
        "search",
        task,
        {w: lambda way=way: way(queries) for w, way in ways.items()},
        agree,
    )
    singles = {
        what: lambda way=way: [way(one[None]) for one in queries[: options.singles]]
        for what, way in ways.items()
    }
    _by_turns(
        run, options, "search", f"{options.singles} queries one by one, {options.n:,} rows", singles
    )


def cluster(run: Run, options: argparse.Namespace, *_: Any) -> None:
    """Cluster the same points by k-means, and find the neighbours of them all."""
    points, _ = Mixture(_DIMENSION, 500, 0).draw(options.points, 0)
    for k in options.clusters:
        ways = {what: lambda k=k, what=what: _kmeans(points, k, what) for what in _devices()}
        _by_turns(
            run, options, "cluster", f"k-means, {len(points):,} points, k = {k:,}, 10 rounds", ways
        )
    some = points[: options.graph]
    ways = {
        what: lambda device=device: knn(some, some, _NEIGHBORS, "cosine", device=device)
        for what, device in _devices().items()
    }
    _by_turns(
        run, options, "cluster", f"{_NEIGHBORS} neighbours of each of {len(some):,} points", ways
    )


def _kmeans(points: Any, k: int, what: str) -> float:
    with _hidden(what == CPU):
        centroids, labels = kmeans(
            points, k, metric="cosine", n_init=1, max_iter=10, random_state=0
        )
    return float(1 - (points * centroids[labels]).sum(axis=1).mean())


@contextmanager
def _hidden(hide: bool) -> Iterator[None]:
    if not hide:
        yield
        return
    with mock.patch.object(gpu, "there", return_value=False):
        yield


def texts(run: Run, options: argparse.Namespace, folder: Path, body: Record) -> None:
    """Embed short texts."""
    random = np.random.default_rng(0)
    made = [" ".join(random.choice(_WORDS, random.integers(6, 13))) for _ in range(options.texts)]
    library = _save_sentence_model(folder, body if options.small else _SBERT)
    ways: Ways = {}
    for what, device in _torch_devices().items():
        embedder = SentenceEmbedder(str(folder), device=device)
        ways[what] = lambda embedder=embedder: embedder.encode(made)
    if GPU in ways:
        by_hand_ = library.SentenceTransformer(str(folder), device="cuda", local_files_only=True)
        ways[BY_HAND] = lambda: by_hand_.encode(made, show_progress_bar=False)
    _by_turns(run, options, "texts", f"{options.texts:,} texts embedded", ways, _likeness(ways))


def _save_sentence_model(folder: Path, body: Record) -> Any:
    import sentence_transformers
    import torch
    import transformers
    from sentence_transformers import models

    torch.manual_seed(0)
    config = transformers.BertConfig(
        **body, vocab_size=len(_WORDS) + 4, intermediate_size=4 * body["hidden_size"]
    )
    transformers.BertModel(config).save_pretrained(folder / "plain")
    _tokenizer().save_pretrained(folder / "plain")
    parts = [
        models.Transformer(str(folder / "plain"), max_seq_length=256),
        models.Pooling(body["hidden_size"]),
        models.Normalize(),
    ]
    sentence_transformers.SentenceTransformer(modules=parts, device="cpu").save(str(folder))
    return sentence_transformers


def _tokenizer() -> Any:
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *_WORDS])}
    backend = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        model_input_names=["input_ids", "attention_mask"],
    )


def pictures(run: Run, options: argparse.Namespace, folder: Path, body: Record) -> None:
    """Embed decoded pictures with a CLIP."""
    import torch
    import transformers
    from PIL import Image

    torch.manual_seed(0)
    layers = body | {"intermediate_size": 4 * body["hidden_size"]}
    config = transformers.CLIPConfig(
        vision_config=layers | {"image_size": 224, "patch_size": 32},
        text_config=layers | {"vocab_size": len(_WORDS) + 4},
    )
    transformers.CLIPModel(config).save_pretrained(folder)
    transformers.CLIPImageProcessor().save_pretrained(folder)
    _tokenizer().save_pretrained(folder)
    random = np.random.default_rng(0)
    made = [
        Image.fromarray(random.integers(0, 256, (12, 16, 3), np.uint8)).resize((448, 336))
        for _ in range(options.pictures)
    ]
    ways: Ways = {}
    for what, device in _torch_devices().items():
        embedder = ImageTextEmbedder(str(folder), device=device, batch_size=options.batch_size)
        ways[what] = lambda embedder=embedder: embedder.encode_images(made)
    _by_turns(
        run, options, "pictures", f"{options.pictures:,} pictures embedded", ways, _likeness(ways)
    )


def captions(run: Run, options: argparse.Namespace, folder: Path, body: Record) -> None:
    """Caption photos of a store, and the same photos in a loop written by hand."""
    save_model(folder / "model", body)
    make_photos(folder / "photos", options.photos, options.side)
    paths = sorted((folder / "photos").iterdir())
    ways: Ways = {}
    for what, device in _torch_devices().items():
        captioner = TransformersCaptioner(
            str(folder / "model"), batch_size=options.batch_size, max_new_tokens=16, device=device
        )
        ways[what] = lambda captioner=captioner: _captioned(captioner, folder / "photos")
    if GPU in ways:
        import torch

        model, *parts = load_by_hand(folder / "model")
        loaded = (model.to("cuda", torch.bfloat16), *parts)
        ways[BY_HAND] = lambda: by_hand(loaded, paths, 16, options.batch_size)
    _by_turns(run, options, "captions", f"{options.photos:,} photos captioned", ways)


TASKS = {each.__name__: each for each in (search, cluster, texts, pictures, captions)}


def _captioned(captioner: TransformersCaptioner, photos: Path) -> float:
    with tempfile.TemporaryDirectory() as made:
        book = RememberAI.create(Path(made) / "b.memories", embedder=HashEmbedder())
        book.add_folder(photos)
        begun = perf_counter()
        book.caption(captioner)
        return perf_counter() - begun


def _likeness(ways: Ways) -> Record:
    """Give the least cosine between the vectors of each way and of the CPU."""
    found = {what: way() for what, way in ways.items()}
    return {what: float((some * found[CPU]).sum(axis=1).min()) for what, some in found.items()}


def _by_turns(
    run: Run,
    options: argparse.Namespace,
    part: str,
    task: str,
    ways: Ways,
    alike: Record | None = None,
) -> None:
    """Time each way `repeats` times; a way that gives seconds has left out what isn't its task."""
    for way in ways.values():
        way()
    for repeat in range(options.repeats):
        for what in list(ways)[:: -1 if repeat % 2 else 1]:
            begun = perf_counter()
            given = ways[what]()
            seconds = perf_counter() - begun
            measured: Record = {"seconds": seconds}
            if part == "captions" and isinstance(given, float):
                measured = {"seconds": given}
            elif isinstance(given, float):
                measured["inertia"] = given
            if alike:
                measured["likeness"] = alike[what]
            run.add({"task": part, "what": task, "on": what}, repeat, measured)


def _devices() -> dict[str, Any]:
    return {CPU: "cpu", GPU: "gpu"} if gpu.there() else {CPU: "cpu"}


def _torch_devices() -> dict[str, str]:
    import torch

    return {CPU: "cpu", GPU: "cuda"} if torch.cuda.is_available() else {CPU: "cpu"}


def _name() -> str:
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none"


def table(records: list[Record]) -> str:
    """Write the seconds of each task on each device, and how alike the answers are."""
    rows = []
    for task in dict.fromkeys(record["arm"]["what"] for record in records):
        arms = {on: of_arm(records, what=task, on=on) for on in (CPU, GPU, BY_HAND)}
        seconds = {on: figures(some, "seconds") for on, some in arms.items() if some}
        row = [task, *(_seconds(seconds.get(on)) for on in (CPU, GPU, BY_HAND))]
        row.append(_ratio(seconds, CPU))
        row.append(_ratio(seconds, BY_HAND))
        rows.append([*row, _alike(arms)])
    header = ["", "CPU s", "GPU s", "GPU by hand s", "times as fast as the CPU"]
    return markdown([*header, "as by hand", "the same answers"], rows)


def _seconds(found: list[float] | None) -> str:
    return f"{median(found):.3f}" if found else ""


def _ratio(seconds: dict[str, list[float]], to: str) -> str:
    if GPU not in seconds or to not in seconds:
        return ""
    return f"{paired_ratio(seconds[to], seconds[GPU]):.2f}"


def _alike(arms: dict[str, list[Record]]) -> str:
    """Tell the share of equal neighbours, the least cosine, or both inertias."""
    if not arms[GPU]:
        return ""
    first = arms[GPU][0]["figures"]
    if "inertia" in first:
        inertias = [arms[on][0]["figures"]["inertia"] for on in (CPU, GPU)]
        return " and ".join(f"{one:.5f}" for one in inertias)
    return f"{first['likeness']:.5f}" if "likeness" in first else ""


if __name__ == "__main__":
    main()
