"""Tiny captioning checkpoints, built from their configs and saved as users' models are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: E402

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
WORDS = ["a", "red", "green", "blue", "yellow", "purple", "circle", "on", "black", "white"]
PAD, CLS, SEP = 0, 2, 3
SIDE = 32
BODY = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "initializer_range": 0.5,  # so large that the untrained captions differ from picture to picture
}
VISION = BODY | {"image_size": SIDE, "patch_size": 8}
TEXT = BODY | {
    "vocab_size": len(SPECIAL + WORDS),
    "max_position_embeddings": 64,
    "bos_token_id": CLS,
    "eos_token_id": SEP,
    "pad_token_id": PAD,
}


@dataclass
class Checkpoint:
    """A model in memory with its processors, and the folder that it was saved in."""

    kind: str
    model: Any
    tokenizer: Any
    image_processor: Any
    folder: Path

    def save(self) -> None:
        for part in (self.model, self.tokenizer, self.image_processor):
            part.save_pretrained(self.folder)


def _tokenizer() -> Any:
    words = {word: i for i, word in enumerate(SPECIAL + WORDS)}
    backend = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )


def _blip() -> tuple[Any, Any]:
    config = transformers.BlipConfig(
        text_config=TEXT | {"sep_token_id": SEP, "encoder_hidden_size": 32},
        vision_config=VISION,
    )
    processor = transformers.BlipImageProcessor(size={"height": SIDE, "width": SIDE})
    return transformers.BlipForConditionalGeneration(config), processor


def _git() -> tuple[Any, Any]:
    config = transformers.GitConfig(vision_config=VISION, **TEXT)
    processor = transformers.CLIPImageProcessor(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    )
    return transformers.GitForCausalLM(config), processor


def _vision_encoder_decoder() -> tuple[Any, Any]:
    decoder = transformers.BertConfig(**TEXT, is_decoder=True, add_cross_attention=True)
    config = transformers.VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        transformers.ViTConfig(**VISION), decoder
    )
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = CLS, PAD, SEP
    processor = transformers.ViTImageProcessor(size={"height": SIDE, "width": SIDE})
    return transformers.VisionEncoderDecoderModel(config), processor


BUILDERS = {"blip": _blip, "git": _git, "vision-encoder-decoder": _vision_encoder_decoder}


@pytest.fixture
def build(tmp_path):
    """Build a checkpoint of a kind, saved under tmp_path."""

    def build_one(kind: str, *, seed: int = 0) -> Checkpoint:
        torch.manual_seed(seed)
        model, image_processor = BUILDERS[kind]()
        folder = tmp_path / f"tiny-{kind}"
        checkpoint = Checkpoint(kind, model.eval(), _tokenizer(), image_processor, folder)
        checkpoint.save()
        return checkpoint

    return build_one


@pytest.fixture(params=sorted(BUILDERS))
def checkpoint(request, build) -> Checkpoint:
    return build(request.param)
