"""Captioning photos into a store, against the same model called in a loop written by hand.

The model has the size of ViT-GPT2 and random weights, which take as long as trained ones. A second
part captions a tenth of many photos with a tiny model, then all of them, each in a process of its
own, and reads the memory on the way.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from benchmarks._records import (
    ROOT,
    Run,
    arguments,
    figures,
    markdown,
    memory_mib,
    of_arm,
    paired_ratio,
)
from benchmarks.memory import HashEmbedder
from rememberai import RememberAI, TransformersCaptioner

if TYPE_CHECKING:
    from benchmarks._records import Record

NAME = "captioning"
_BODY = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}
_TINY = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
_WORDS = 50_257  # of GPT-2
_BATCH = 8


def main(argv: list[str] | None = None) -> None:
    """Caption the same photos by turns, then many photos with a tiny model."""
    parser = arguments(__doc__, n=48, repeats=3, threads=2, tokens=16, many=10_000)
    parser.add_argument("--side", type=int, default=1600, help="of the photos, default %(default)s")
    parser.add_argument("--small", action="store_true", help="a tiny model in both parts")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.child:
        print(json.dumps(memory_of(options.child, options.many, options.threads)))
        return
    names = ("n", "side", "tokens", "threads", "many")
    settings = {name: getattr(options, name) for name in names} | {"batch_size": _BATCH}
    run = Run(NAME, settings, folder=options.records)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        model = save_model(folder / "model", _TINY if options.small else _BODY)
        make_photos(folder / "photos", options.n, options.side)
        measure_speed(run, options, model, folder)
    for n in (options.many // 10, options.many):
        with tempfile.TemporaryDirectory() as made:
            measure_memory(run, options.threads, Path(made), n)
    print(table(run.records))


def save_model(folder: Path, body: Record) -> Path:
    """Save a vision encoder with a text decoder, its weights random."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    torch.manual_seed(0)
    heads = {"n_embd": body["hidden_size"], "n_layer": body["num_hidden_layers"]}
    decoder = transformers.GPT2Config(
        **heads,
        n_head=body["num_attention_heads"],
        vocab_size=_WORDS,
        add_cross_attention=True,
        initializer_range=0.3,  # so that it does not say one word again and again
    )
    encoder = transformers.ViTConfig(**body, intermediate_size=4 * body["hidden_size"])
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id = config.pad_token_id = config.eos_token_id = _WORDS - 1
    words = {f"word{i}": i for i in range(_WORDS - 1)} | {"[END]": _WORDS - 1}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[END]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    parts = (
        transformers.VisionEncoderDecoderModel(config),
        transformers.PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, pad_token="[END]", eos_token="[END]"
        ),
        transformers.ViTImageProcessor(),
    )
    for part in parts:
        part.save_pretrained(folder)
    return folder


def make_photos(folder: Path, n: int, side: int) -> None:
    """Write n JPEG files of smooth noise, 4 to 3."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(n):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        coarse.resize((side, side * 3 // 4), Image.Resampling.BICUBIC).save(folder / f"{i:05d}.jpg")


def measure_speed(run: Run, options: Any, model: Path, folder: Path) -> None:
    """Caption the photos by turns; both ways start with a loaded model."""
    import torch

    torch.set_num_threads(options.threads)
    captioner = TransformersCaptioner(
        str(model), batch_size=_BATCH, max_new_tokens=options.tokens, device="cpu"
    )
    paths = sorted((folder / "photos").iterdir())
    loaded = load_by_hand(model)
    captioner.caption([Image.open(path) for path in paths[:_BATCH]])
    by_hand(loaded, paths[:_BATCH], options.tokens)
    for repeat in range(options.repeats):
        with tempfile.TemporaryDirectory() as made:
            book = RememberAI.create(Path(made) / "b.memories", embedder=HashEmbedder())
            book.add_folder(folder / "photos")
            ways = {
                "by hand": lambda: by_hand(loaded, paths, options.tokens),
                "RememberAI": lambda book=book: book.caption(captioner),
            }
            for what in sorted(ways, reverse=repeat % 2 == 1):
                begun = perf_counter()
                ways[what]()
                seconds = perf_counter() - begun
                run.add({"what": what}, repeat, {"seconds": seconds}, threads=options.threads)


def load_by_hand(folder: Path) -> tuple[Any, Any, Any]:
    """Load the model as its documentation does."""
    import transformers

    model = transformers.VisionEncoderDecoderModel.from_pretrained(folder).eval()
    processor = transformers.ViTImageProcessor.from_pretrained(folder)
    return model, processor, transformers.AutoTokenizer.from_pretrained(folder)


def by_hand(
    loaded: tuple[Any, Any, Any], paths: list[Path], tokens: int, batch_size: int = _BATCH
) -> list[str]:
    """Caption photos batch by batch, as the model's documentation does."""
    import torch

    model, processor, tokenizer = loaded
    captions: list[str] = []
    for start in range(0, len(paths), batch_size):
        images = [Image.open(path).convert("RGB") for path in paths[start : start + batch_size]]
        pixels = processor(images=images, return_tensors="pt")["pixel_values"]
        pixels = pixels.to(model.device, model.dtype)
        with torch.inference_mode():
            found = model.generate(pixel_values=pixels, max_new_tokens=tokens, do_sample=False)
        captions += tokenizer.batch_decode(found, skip_special_tokens=True)
    return captions


def measure_memory(run: Run, threads: int, folder: Path, many: int) -> None:
    """Caption many small photos in a process of its own."""
    save_model(folder / "model", _TINY)
    make_photos(folder / "photos", many, 200)
    sizes = [f"--many={many}", f"--threads={threads}", f"--child={folder}"]
    command = [sys.executable, "-m", f"benchmarks.{NAME}", *sizes]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    found = json.loads(done.stdout.splitlines()[-1])
    for n, mib in found["memory"]:
        arm = {"what": f"memory, {many:,} photos", "n": n}
        run.add(arm, 0, {"rss": mib}, threads=threads, peak=found["peak"])


def memory_of(folder: Path, many: int, threads: int) -> Record:
    """Read the memory after each tenth of the photos is captioned."""
    import torch

    torch.set_num_threads(threads)
    captioner = TransformersCaptioner(str(folder / "model"), max_new_tokens=4, device="cpu")
    book = RememberAI.create(folder / "b.memories", embedder=HashEmbedder())
    book.add_folder(folder / "photos")
    readings: dict[int, float | None] = {}

    def read(stage: str, done: int, total: int) -> None:
        tenth = done * 10 // total
        if stage == "captioning" and tenth and tenth not in readings:
            readings[tenth] = memory_mib("VmRSS")

    book.caption(captioner, progress=read)
    memory = [(tenth * many // 10, mib) for tenth, mib in readings.items()]
    return {"memory": memory, "peak": memory_mib("VmHWM")}


def table(records: list[Record]) -> str:
    """Write the seconds of both ways, and the memory on the way through few and many photos."""
    first = records[0]["settings"]
    hand = figures(of_arm(records, what="by hand"), "seconds")
    book = figures(of_arm(records, what="RememberAI"), "seconds")
    rows = [
        ["by hand", f"{median(hand):.2f}", f"{first['n'] / median(hand):.2f}", ""],
        [
            "RememberAI",
            f"{median(book):.2f}",
            f"{first['n'] / median(book):.2f}",
            f"{paired_ratio(book, hand):.3f} (bar 1.05)",
        ],
    ]
    speed = markdown([f"{first['n']} photos", "seconds", "photos/s", "within a repeat"], rows)
    return f"{speed}\n\n{_memory(records)}"


def _memory(records: list[Record]) -> str:
    """Write the memory at the first tenth, at the half and at the end of each run."""
    rows = []
    for what in dict.fromkeys(record["arm"]["what"] for record in records):
        told = of_arm(records, what=what)
        if what.startswith("memory"):
            places = (0, (len(told) - 1) // 2, -1)
            rss = [f"{told[place]['figures']['rss']:.0f}" for place in places]
            rows.append([f"{told[-1]['arm']['n']:,}", *rss, f"{told[-1]['peak_mib']:.0f}"])
    header = ["photos captioned", "MiB after a tenth", "after half", "at the end", "peak"]
    return markdown(header, rows)


if __name__ == "__main__":
    main()
