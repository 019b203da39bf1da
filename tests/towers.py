"""Tiny CLIP and SigLIP checkpoints, built from their configs and saved as users' models are."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: E402

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
COLOURS = {"red": (220, 30, 30), "green": (30, 170, 60), "blue": (40, 60, 220)}
SHAPES = ("disc", "frame", "grill")
WORDS = ["a", *COLOURS, *SHAPES]
SIDE, LONGEST = 32, 12
BODY = {
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
}
VISION = BODY | {"image_size": SIDE, "patch_size": 8}
TEXT = BODY | {
    "vocab_size": len(SPECIAL + WORDS),
    "max_position_embeddings": LONGEST,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
}
EXACT = {"height": SIDE, "width": SIDE}


def _clip():
    config = transformers.CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=24)
    processor = transformers.CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=EXACT)
    return transformers.CLIPModel(config), processor


def _siglip():
    config = transformers.SiglipConfig(text_config=TEXT, vision_config=VISION)
    return transformers.SiglipModel(config), transformers.SiglipImageProcessor(size=EXACT)


def _siglip2():
    vision = BODY | {"num_patches": 16, "patch_size": 8}
    config = transformers.Siglip2Config(text_config=TEXT, vision_config=vision)
    processor = transformers.Siglip2ImageProcessor(patch_size=8, max_num_patches=16)
    return transformers.Siglip2Model(config), processor


BUILDERS = {"clip": _clip, "siglip": _siglip, "siglip2": _siglip2}


def tokenizer():
    backend = Tokenizer(
        models.WordLevel({w: i for i, w in enumerate(SPECIAL + WORDS)}, unk_token="[UNK]")
    )
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_input_names=["input_ids"],
    )


def build(kind: str, folder: Path, *, seed: int = 0):
    """Save an untrained model of a kind, and give it with its image processor."""
    torch.manual_seed(seed)
    model, processor = BUILDERS[kind]()
    for part in (model, processor, tokenizer()):
        part.save_pretrained(folder)
    return model.eval(), processor


def drawing(colour: str, shape: str, random: np.random.Generator) -> Image.Image:
    """Draw a shape somewhere on a grey ground, larger or smaller."""
    image = Image.new("RGB", (48, 48), tuple(int(v) for v in random.integers(190, 250, 3)))
    size = int(random.integers(24, 32))
    x, y = (int(v) for v in random.integers(2, 46 - size, 2))
    pen, box = ImageDraw.Draw(image), (x, y, x + size, y + size)
    fill = tuple(int(v) for v in np.clip(COLOURS[colour] + random.integers(-20, 20, 3), 0, 255))
    if shape == "disc":
        pen.ellipse(box, fill=fill)
    elif shape == "frame":
        pen.rectangle(box, outline=fill, width=3)
    else:
        for top in range(y, y + size, 6):
            pen.rectangle((x, top, x + size, top + 2), fill=fill)
    return image


def said(colour: str, shape: str) -> str:
    return f"a {colour} {shape}"


KINDS = list(itertools.product(COLOURS, SHAPES))


def train_clip(folder: Path, *, steps: int = 200) -> Path:
    """Train a tiny CLIP on drawn shapes to tell which words fit a picture, and save it."""
    model, processor = build("clip", folder)
    random = np.random.default_rng(0)
    images = [drawing(*kind, random) for kind in KINDS for _ in range(64)]
    pixels = processor(images=images, return_tensors="pt")["pixel_values"]
    truth = torch.arange(len(KINDS)).repeat_interleave(64)
    words = tokenizer()([said(*kind) for kind in KINDS], return_tensors="pt")
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    model.train()
    for _ in range(steps):
        some = torch.from_numpy(random.choice(len(images), 64, replace=False))
        logits = model(**words, pixel_values=pixels[some]).logits_per_image
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits, truth[some]).backward()
        optimizer.step()
    model.eval().save_pretrained(folder)
    return folder
