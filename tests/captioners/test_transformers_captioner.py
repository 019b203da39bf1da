from __future__ import annotations

import itertools
import json
import logging
import os
import pickle
import shutil
import sys

import huggingface_hub
import numpy as np
import pytest
import torch
import transformers
from PIL import Image, ImageDraw

from rememberai._models import pick_device
from rememberai.captioners import Captioner, TransformersCaptioner
from rememberai.captioners import transformers as transformers_captioner
from rememberai.captioning import opened
from rememberai.errors import InputError, MissingExtraError, ModelError

COLOURS = {
    "red": (200, 30, 30),
    "green": (30, 170, 30),
    "blue": (30, 30, 200),
    "yellow": (210, 210, 30),
    "purple": (140, 30, 160),
}


def noise_pictures(n):
    rng = np.random.default_rng(7)
    sizes = [(int(w), int(h)) for w, h in rng.integers(10, 200, (n, 2))]
    return [
        Image.fromarray(rng.integers(0, 256, (h, w, 3), dtype=np.uint8)).convert(mode)
        for (w, h), mode in zip(sizes, ["RGB", "L", "RGBA", "P", "CMYK"] * n, strict=False)
    ]


def texts(captions):
    return [caption.text for caption in captions]


def by_hand(checkpoint, picture, *, max_new_tokens, **inputs):
    """One picture through the model in memory, without any of the captioner's code."""
    pixels = checkpoint.image_processor(images=picture.convert("RGB"), return_tensors="pt")
    with torch.no_grad():
        tokens = checkpoint.model.generate(
            pixel_values=pixels["pixel_values"], max_new_tokens=max_new_tokens, **inputs
        )
    return checkpoint.tokenizer.decode(tokens[0], skip_special_tokens=True)


def test_captions_equal_a_hand_written_generate_call(checkpoint):
    pictures = noise_pictures(7)
    expected = [by_hand(checkpoint, picture, max_new_tokens=3) for picture in pictures]
    assert len(set(expected)) > 1  # else the order of the captions would not be tested
    captioner = TransformersCaptioner(
        str(checkpoint.folder), batch_size=3, max_new_tokens=3, offline=True
    )
    assert texts(captioner.caption(pictures)) == expected
    assert captioner.caption([]) == []
    assert isinstance(captioner, Captioner)


def test_pictures_of_alike_size_go_together_the_largest_first(build, monkeypatch):
    captioner = TransformersCaptioner(
        str(build("git").folder), batch_size=3, max_new_tokens=3, offline=True
    )
    parts, batches = captioner._loaded[1], []
    inputs = parts.inputs

    def watched(images):
        batches.append([image.size for image in images])
        return inputs(images)

    monkeypatch.setattr(parts, "inputs", watched)
    pictures = noise_pictures(8)
    captioner.caption(pictures)
    assert [len(batch) for batch in batches] == [3, 3, 2]
    sizes = sorted((picture.size for picture in pictures), reverse=True)
    assert [size for batch in batches for size in batch] == sizes


@pytest.mark.parametrize("kind", ["blip", "git"])
def test_a_prompt_is_continued_and_not_repeated(build, kind):
    checkpoint = build(kind)
    tokens = checkpoint.tokenizer("a red circle", return_tensors="pt")["input_ids"]
    for picture in noise_pictures(3):
        expected = by_hand(
            checkpoint,
            picture,
            max_new_tokens=3,
            input_ids=tokens.clone() if kind == "blip" else tokens[:, :-1],
        )
        assert expected.startswith("a red circle")
        captioner = TransformersCaptioner(
            str(checkpoint.folder), max_new_tokens=3, prompt="a red circle"
        )
        said = captioner.caption([picture])
        assert texts(said) == [expected.removeprefix("a red circle").strip()]


def test_a_model_that_is_set_to_draw_lots_does_not(build):
    checkpoint, pictures = build("git"), noise_pictures(5)
    name = str(checkpoint.folder)
    expected = texts(TransformersCaptioner(name, max_new_tokens=6).caption(pictures))
    checkpoint.model.generation_config.update(do_sample=True, temperature=9.0, top_k=20)
    checkpoint.save()
    assert texts(TransformersCaptioner(name, max_new_tokens=6).caption(pictures)) == expected


def test_going_in_circles_is_no_caption(build):
    checkpoint = build("vision-encoder-decoder")
    with torch.no_grad():  # every next word is "green", whatever the picture
        head = checkpoint.model.decoder.cls.predictions
        head.decoder.weight.zero_()
        head.decoder.bias.zero_()
        head.bias.zero_()
        head.bias[checkpoint.tokenizer.convert_tokens_to_ids("green")] = 1.0
    checkpoint.save()
    captioner = TransformersCaptioner(str(checkpoint.folder), max_new_tokens=8)
    assert by_hand(checkpoint, noise_pictures(1)[0], max_new_tokens=8) == " ".join(["green"] * 8)
    said = captioner.caption(noise_pictures(2))
    assert texts(said) == ["", ""]
    assert "went in circles: green green" in said[0].reason


def draw(rng):
    """One to three shapes of a shade of one of five colours, and the words for them."""
    colour, ground = rng.choice(list(COLOURS)), rng.choice(["black", "white"])
    shape, n = rng.choice(["circle", "square", "triangle"]), int(rng.integers(1, 4))
    shade = np.clip(np.add(COLOURS[colour], rng.integers(-30, 31, 3)), 0, 255)
    picture = Image.new("RGB", (32, 32), str(ground))
    pen, fill = ImageDraw.Draw(picture), tuple(int(v) for v in shade)
    for place in rng.permutation(4)[:n].tolist():
        x, y = (8 + 16 * i + int(rng.integers(-1, 2)) for i in (place % 2, place // 2))
        r = int(rng.integers(6, 8))
        if shape == "circle":
            pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)
        elif shape == "square":
            pen.rectangle((x - r, y - r, x + r, y + r), fill=fill)
        else:
            pen.polygon([(x - r, y + r), (x + r, y + r), (x, y - r)], fill=fill)
    many = f"{shape}s" if n > 1 else shape
    return picture, f"{('one', 'two', 'three')[n - 1]} {colour} {many} on {ground}"


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny):
    """The folder of a BLIP that learned to say what drawings show, and the drawings it saw."""
    torch.manual_seed(0)
    width = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    folder = tmp_path_factory.mktemp("trained")
    checkpoint = tiny.blip(folder, initializer_range=0.02, **width)
    model, rng = checkpoint.model.train(), np.random.default_rng(0)
    steps, rate, seen = 600, 2e-3, set()
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    for _ in range(steps):
        pictures, captions = zip(*(draw(rng) for _ in range(32)), strict=True)
        seen |= {picture.tobytes() for picture in pictures}
        pixels = checkpoint.image_processor(images=list(pictures), return_tensors="pt")
        tokens = checkpoint.tokenizer(list(captions), return_tensors="pt")["input_ids"]
        model(pixel_values=pixels["pixel_values"], input_ids=tokens, labels=tokens).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
    model.eval()
    checkpoint.save()
    return checkpoint.folder, seen


def test_a_trained_model_says_what_unseen_drawings_show(trained):
    folder, seen = trained
    pictures, captions = zip(
        *(draw(np.random.default_rng(i + 10**6)) for i in range(150)), strict=True
    )
    assert not seen & {picture.tobytes() for picture in pictures}
    assert len(set(captions)) > 50
    larger = [
        p.resize((64 + 32 * (i % 3), 64 + 32 * (i % 2)), Image.Resampling.NEAREST)
        for i, p in enumerate(pictures)
    ]
    said = TransformersCaptioner(str(folder), batch_size=10).caption(larger)
    right = np.array([c.text == e for c, e in zip(said, captions, strict=True)])
    assert right.mean() >= 0.9
    unclear = TransformersCaptioner(str(folder)).caption(noise_pictures(20))
    sure = np.mean([c.confidence for c in said if c.text])
    assert sure > np.mean([c.confidence for c in unclear if c.text])


class Guarded:
    """Stands in for a model's `generate`: refuses large batches or single pictures."""

    def __init__(self, captioner, refuse):
        self.generate, self.refuse, self.sizes = captioner._loaded[0].generate, refuse, []
        captioner._loaded[0].generate = self

    def __call__(self, **inputs):
        self.sizes.append(len(inputs["pixel_values"]))
        self.refuse(inputs["pixel_values"])
        return self.generate(**inputs)


CPU_ALLOCATOR = "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you"
WINDOWS = "[enforce fail at alloc_cpu.cpp:121] data. DefaultCPUAllocator: not enough memory: you"
MPS = "MPS backend out of memory (MPS allocated: 1.2 GB)"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError(CPU_ALLOCATOR),
        RuntimeError(WINDOWS),
        RuntimeError(MPS),
        MemoryError(),
    ],
    ids=["cuda", "cpu", "windows", "mps", "python"],
)
def test_too_little_memory_halves_the_batch_and_goes_on(build, error):
    folder = str(build("git").folder)
    pictures = noise_pictures(20)
    expected = TransformersCaptioner(folder, max_new_tokens=3).caption(pictures)
    captioner = TransformersCaptioner(folder, batch_size=8, max_new_tokens=3)

    def refuse(pixels):
        if len(pixels) > 3:
            raise error

    guarded = Guarded(captioner, refuse)
    assert texts(captioner.caption(pictures)) == texts(expected)
    assert guarded.sizes == [8, 4, 2, 2, 4, 2, 2, *[2] * 6]
    assert captioner.batch_size == 8


def test_what_a_gpu_keeps_of_a_batch_that_was_too_large_is_given_back(build, monkeypatch):
    captioner = TransformersCaptioner(str(build("git").folder), max_new_tokens=3)
    given_back = []

    def refuse(pixels):
        if len(pixels) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    Guarded(captioner, refuse)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: given_back.append(1))
    captioner.caption(noise_pictures(2))
    assert given_back == [1]


def test_a_picture_that_fails_alone_is_told_and_the_others_are_captioned(build):
    folder = str(build("git").folder)
    captioner = TransformersCaptioner(folder, batch_size=4, max_new_tokens=3)
    expected = captioner.caption(noise_pictures(6))

    def refuse(pixels):
        if (pixels.std((2, 3)).amax(1) < 1e-3).any():
            raise ValueError("a blank picture")

    Guarded(captioner, refuse)
    pictures = [*noise_pictures(6)[:2], Image.new("RGB", (50, 50)), *noise_pictures(6)[2:]]
    said = captioner.caption(pictures)
    assert texts(said[:2] + said[3:]) == texts(expected)
    assert said[2].reason == "the captioner failed on it (ValueError: a blank picture)"
    assert said[2].confidence is None


def test_a_picture_for_which_the_memory_never_suffices_does_not_cost_the_others(build):
    folder = str(build("git").folder)
    pictures = [*noise_pictures(5), Image.new("RGB", (500, 500))]
    expected = TransformersCaptioner(folder, max_new_tokens=3).caption(pictures[:5])
    captioner = TransformersCaptioner(folder, batch_size=4, max_new_tokens=3)

    def refuse(pixels):
        if (pixels.std((2, 3)).amax(1) < 1e-3).any():
            raise MemoryError("so large")

    Guarded(captioner, refuse)
    *said, large = captioner.caption(pictures)
    assert texts(said) == texts(expected)
    assert large.reason == "the captioner failed on it (MemoryError: so large)"


def test_seconds_are_shared_by_a_batch_and_a_long_reason_is_cut(build, monkeypatch):
    captioner = TransformersCaptioner(str(build("git").folder), batch_size=2, max_new_tokens=3)
    monkeypatch.setattr(transformers_captioner, "perf_counter", itertools.count().__next__)
    pictures = [picture.resize((40, 40)) for picture in noise_pictures(3)]
    assert [caption.seconds for caption in captioner.caption(pictures)] == [0.5, 0.5, 1]

    def refuse(pixels):
        if (pixels.std((2, 3)).amax(1) < 1e-3).any():
            raise ValueError("very " * 1000 + "blank")

    Guarded(captioner, refuse)
    *_, blank = captioner.caption([*pictures, Image.new("RGB", (40, 40))])
    assert 300 < len(blank.reason) < 400


@pytest.mark.parametrize("n", [1, 3])
def test_what_fails_on_every_picture_is_an_error(build, n):
    captioner = TransformersCaptioner(str(build("git").folder), max_new_tokens=3)

    def refuse(pixels):
        raise ValueError("no such weights")

    Guarded(captioner, refuse)
    with pytest.raises(ModelError, match=r"fails on every picture: ValueError: no such weights$"):
        captioner.caption(noise_pictures(n))
    assert captioner.caption([]) == []


@pytest.mark.parametrize("n", [1, 3])
def test_where_only_pictures_that_fail_are_left_the_model_is_not_blamed(build, n):
    captioner = TransformersCaptioner(str(build("git").folder), max_new_tokens=3)

    def refuse(pixels):
        if (pixels.std((2, 3)).amax(1) > 1e-3).any():
            raise ValueError("too much noise")

    Guarded(captioner, refuse)
    said = captioner.caption(noise_pictures(n))
    assert {c.reason for c in said} == {"the captioner failed on it (ValueError: too much noise)"}


def test_weights_of_another_model_are_refused(build):
    from safetensors.torch import load_file, save_file

    weights = build("git").folder / "model.safetensors"
    tensors = load_file(weights)
    del tensors[min(name for name in tensors if "vision" in name)]
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"not those of a 'git' model .* 1 are missing, such as"):
        TransformersCaptioner(str(weights.parent)).caption(noise_pictures(1))


def test_model_id_follows_the_weights_and_not_the_place(build, tmp_path):
    folder = build("git", seed=0).folder
    name, _, revision = TransformersCaptioner(str(folder)).model_id.partition("@")
    assert name == "tiny-git"
    assert len(revision) == 8
    elsewhere = shutil.copytree(folder, tmp_path / "elsewhere" / folder.name)
    assert TransformersCaptioner(str(elsewhere)).model_id == f"{name}@{revision}"
    assert TransformersCaptioner(str(build("git", seed=1).folder)).model_id != f"{name}@{revision}"


def test_a_revision_is_pinned_and_told_by_each_caption(build, tmp_path, monkeypatch):
    """Two versions in the cache of the hub, of which the first is asked for, offline."""
    repository = tmp_path / "hub" / "models--someone--captioner"
    commits = {name: name * 40 for name in ("a", "b")}
    for seed, commit in enumerate(commits.values()):
        folder = build("git", seed=seed).folder
        shutil.copytree(folder, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commits["b"])
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    pictures = noise_pictures(4)
    said = {}
    for revision in (commits["a"], None):
        captioner = TransformersCaptioner(
            "someone/captioner", revision=revision, max_new_tokens=3, offline=True
        )
        captions = captioner.caption(pictures)
        assert {caption.model_id for caption in captions} == {captioner.model_id}
        said[revision] = captioner.model_id, texts(captions)
    (pinned, first), (newest, second) = said.values()
    assert pinned != newest
    assert first != second
    with pytest.raises(ModelError, match="not found"):
        TransformersCaptioner("someone/captioner", revision="c" * 40, offline=True)


def test_a_revision_that_is_not_here_is_the_one_that_is_downloaded(build, tmp_path, monkeypatch):
    folder, asked = build("git").folder, []

    def download(name, **options):
        asked.append((name, options["revision"]))
        return str(folder)

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    captioner = TransformersCaptioner("someone/captioner", revision="v2", max_new_tokens=3)
    assert len(captioner.caption(noise_pictures(1))) == 1
    assert asked == [("someone/captioner", "v2")]


@pytest.fixture
def noise():
    """Read or set the verbosity of transformers, and whether it and the hub draw bars."""
    logs, hub = transformers.utils.logging, huggingface_hub.utils

    def get():
        bars = logs.is_progress_bar_enabled(), not hub.are_progress_bars_disabled()
        return logs.get_verbosity(), *bars

    def put(verbosity, bars, hub_bars):
        logs.set_verbosity(verbosity)
        (logs.enable_progress_bar if bars else logs.disable_progress_bar)()
        (hub.enable_progress_bars if hub_bars else hub.disable_progress_bars)()

    before = get()
    yield get, put
    put(*before)


@pytest.mark.parametrize(
    "wanted", [(logging.WARNING, True, True), (logging.INFO, True, False), (50, False, True)]
)
def test_nothing_is_printed_and_the_settings_are_put_back(build, capfd, noise, wanted):
    get, put = noise
    checkpoint = build("vision-encoder-decoder")
    put(*wanted)
    capfd.readouterr()
    TransformersCaptioner(str(checkpoint.folder)).caption(noise_pictures(2))
    assert capfd.readouterr() == ("", "")
    assert get() == wanted


def test_a_model_that_is_not_here():
    with pytest.raises(ModelError, match="'nobody/no-model' in the local Hugging Face cache"):
        TransformersCaptioner("nobody/no-model", offline=True)
    with pytest.raises(ModelError, match="is no folder"):
        TransformersCaptioner("./no/such/folder")


def test_a_model_that_is_no_captioner(tmp_path):
    config = transformers.BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    transformers.BertModel(config).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="'bert' model"):
        TransformersCaptioner(str(tmp_path)).caption(noise_pictures(1))


def test_a_prompt_for_a_model_that_takes_none(build):
    folder = build("vision-encoder-decoder").folder
    with pytest.raises(InputError, match="takes no prompt"):
        TransformersCaptioner(str(folder), prompt="a").caption(noise_pictures(1))


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"max_new_tokens": 0}, {"num_beams": 0}])
def test_sizes_below_one(build, wrong):
    with pytest.raises(InputError, match="at least 1"):
        TransformersCaptioner(str(build("git").folder), **wrong)


def test_an_unknown_dtype(build):
    with pytest.raises(InputError, match="'int8' came"):
        TransformersCaptioner(str(build("git").folder), dtype="int8")


@pytest.mark.parametrize(
    ("device", "capability", "expected"),
    [
        ("cpu", None, "float32"),
        ("cuda", (7, 5), "float32"),
        ("cuda", (8, 0), "bfloat16"),
        ("cuda:1", (9, 0), "bfloat16"),
    ],
)
def test_the_number_format_suits_the_device(monkeypatch, device, capability, expected):
    from rememberai.captioners.transformers import _dtype

    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert _dtype("auto", device) == getattr(torch, expected)
    assert _dtype("float16", device) == torch.float16


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_the_best_device_at_hand_is_taken(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device("auto") == expected
    assert pick_device("cpu") == "cpu"


def test_confidence_is_computed_in_full_where_the_model_computes_in_half():
    scores = torch.randn(3, 50000, generator=torch.manual_seed(0)).bfloat16()
    watch = transformers_captioner._Watch()
    watch(torch.zeros(3, 5), scores)
    expected = scores.double().log_softmax(-1).amax(-1)
    assert watch.mean(torch.ones(3, 1)).tolist() == pytest.approx(expected.tolist(), abs=1e-4)


def test_it_tells_how_large_a_picture_it_looks_at(checkpoint):
    assert TransformersCaptioner(str(checkpoint.folder)).side == 32
    checkpoint.image_processor.do_resize = False
    checkpoint.save()
    assert TransformersCaptioner(str(checkpoint.folder)).side is None


def test_a_picture_decoded_for_it_is_described_as_the_whole_one(trained, tmp_path):
    captioner, same = TransformersCaptioner(str(trained[0])), []
    for i in range(20):
        picture = draw(np.random.default_rng(i))[0].resize((1200, 1200), Image.Resampling.NEAREST)
        picture.save(tmp_path / "p.jpg", quality=95)
        smaller = opened(str(tmp_path / "p.jpg"), captioner.side)
        assert 2 * 32 <= smaller.width < 200
        same.append(texts(captioner.caption([smaller])) == texts(captioner.caption([picture])))
    assert np.mean(same) >= 0.9  # now and then a drawing is nearly as much the one as the other


def test_a_device_that_is_not_there(build):
    with pytest.raises(InputError, match="'nonsense'"):
        TransformersCaptioner(str(build("git").folder), device="nonsense").caption(
            noise_pictures(1)
        )


def test_damaged_weights(checkpoint):
    weights = checkpoint.folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="can't be loaded"):
        TransformersCaptioner(str(checkpoint.folder)).caption(noise_pictures(1))


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


def test_pickled_weights_are_refused(build, tmp_path):
    folder = build("blip").folder
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(tmp_path / "exploded")))
    with pytest.raises(ModelError, match="pickled"):
        TransformersCaptioner(str(folder)).caption(noise_pictures(1))
    assert not (tmp_path / "exploded").exists()


def test_code_in_the_folder_is_never_run(build, tmp_path):
    folder = build("git").folder
    (folder / "evil.py").write_text(f"import os\nos.mkdir({str(tmp_path / 'ran')!r})\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.EvilConfig"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="can't be loaded"):
        TransformersCaptioner(str(folder)).caption(noise_pictures(1))
    assert not (tmp_path / "ran").exists()


def test_a_missing_shard_is_named(build):
    folder = build("git").folder
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"model-2\.safetensors is missing"):
        TransformersCaptioner(str(folder))


def test_without_transformers_the_error_names_the_extra(build, monkeypatch):
    captioner = TransformersCaptioner(str(build("git").folder))
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r'pip install "rememberai\[caption\]"'):
        captioner.caption(noise_pictures(1))
