"""Tiny checkpoints of further models that see, and how each wants a picture among its words."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
import transformers
from tiny_captioners import (
    CHAT,
    CHATTING,
    SIDE,
    VISION,
    picture_processor,
    word_tokenizer,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FOUR = transformers.__version__.startswith("4.")
SQUARE = {"height": SIDE, "width": SIDE}
SHORTEST = {"size": {"shortest_edge": SIDE}, "crop_size": SQUARE}
PATCHES = (SIDE // VISION["patch_size"]) ** 2
CLIP = VISION | {"model_type": "clip_vision_model"}
SIGLIP = VISION | {"model_type": "siglip_vision_model"}
GRID = [[SIDE, 2 * SIDE], [2 * SIDE, SIDE]]
FINER = PATCHES + 4  # of a square picture on a grid: its patches, and an end of each line
PLAIN = "[CLS] {image} {question} [SEP]"


@dataclass
class Seeing:
    """A model and its processor.

    Attributes
    ----------
    processor
        What ``processor_config.json`` says.
    mark
        What a prompt has where the picture is; empty where the processor puts it there itself.
    image
        Gives what the processor makes of it, in special tokens, from what the picture became.
    prompt
        What it makes of a picture and a question.
    further
        What else the model takes, from its inputs by name.
    parts
        Further tokenizers, by their folder.
    """

    model: Any
    tokenizer: Any
    image_processor: Any
    processor: dict[str, Any]
    image: Callable[[Any], str] = lambda seen: ""
    mark: str = "<image>"
    prompt: str = PLAIN
    further: Callable[[dict[str, Any]], dict[str, Any]] = lambda inputs: {}
    parts: dict[str, Any] = field(default_factory=dict)

    def save(self, folder: Path, *, chats: bool) -> None:
        """Save it as those on the hub are, with or without a chat template."""
        self.tokenizer.chat_template = CHAT.replace("IMAGE", self.mark) if chats else None
        for part in (self.model, self.tokenizer, self.image_processor):
            part.save_pretrained(folder)
        for name, part in self.parts.items():
            part.save_pretrained(folder / name)
        if (
            transformers.__version__.startswith("4.")
            and "Qwen" in self.processor["processor_class"]
        ):
            file = folder / "tokenizer_config.json"
            told = json.loads(file.read_text()) | {"tokenizer_class": "Qwen2Tokenizer"}
            file.write_text(json.dumps(told))
        (folder / "processor_config.json").write_text(json.dumps(self.processor))

    def inputs(self, picture: Any, question: str, *, chats: bool) -> dict[str, Any]:
        """Lay out what the model takes, with the places of the picture written out."""
        seen = self.image_processor(images=[picture], return_tensors="pt")
        layout = "[CLS] red {image} {question} a" if chats else self.prompt
        text = layout.format(image=self.image(seen), question=question)
        ids = self.tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), **seen}
        inputs |= self.further(inputs)
        return {name: value for name, value in inputs.items() if not name.startswith("num_")}


def made(config: Any, *parts: Any, **more: Any) -> Seeing:
    name = type(config).__name__.removesuffix("Config") + "ForConditionalGeneration"
    return Seeing(getattr(transformers, name)(config).eval(), *parts, **more)


def words(tokenizer: Any, kind: str = "llama", **options: Any) -> dict[str, Any]:
    return {"model_type": kind, "vocab_size": len(tokenizer), **CHATTING, **options}


def _in_parts(_: Any) -> str:
    return "<image>" * (PATCHES + FINER)


def _llava(name: str = "Llava", **options: Any) -> Seeing:
    tokenizer = word_tokenizer(image_token="<image>")
    config = getattr(transformers, f"{name}Config")(
        text_config=words(tokenizer),
        vision_config=CLIP,
        image_token_index=tokenizer.image_token_id,
        **options,
    )
    processor = {
        "processor_class": "LlavaProcessor",
        "patch_size": VISION["patch_size"],
        "vision_feature_select_strategy": "default",
        "num_additional_image_tokens": 1,
    }
    images = picture_processor("CLIPImageProcessor", **SHORTEST)
    return made(config, tokenizer, images, processor, lambda seen: "<image>" * PATCHES)


def _llava_next() -> Seeing:
    llava = _llava()
    config = transformers.LlavaNextConfig(
        text_config=words(llava.tokenizer),
        vision_config=CLIP,
        image_token_index=llava.tokenizer.image_token_id,
        image_grid_pinpoints=GRID,
    )
    images = picture_processor("LlavaNextImageProcessor", image_grid_pinpoints=GRID, **SHORTEST)
    processor = llava.processor | {"processor_class": "LlavaNextProcessor"}
    return made(config, llava.tokenizer, images, processor, _in_parts)


def _llava_onevision() -> Seeing:
    tokenizer = word_tokenizer(image_token="<image>", video_token="<video>")
    config = transformers.LlavaOnevisionConfig(
        text_config=words(tokenizer),
        vision_config=SIGLIP,
        image_token_index=tokenizer.image_token_id,
        video_token_index=tokenizer.video_token_id,
        image_grid_pinpoints=GRID,
    )
    processor = {
        "processor_class": "LlavaOnevisionProcessor",
        "num_image_tokens": PATCHES,
        "vision_feature_select_strategy": "full",
    }
    images = picture_processor(
        "LlavaOnevisionImageProcessor", size=SQUARE, image_grid_pinpoints=GRID
    )
    return made(config, tokenizer, images, processor, _in_parts)


def _gemma_3() -> Seeing:
    tokenizer = word_tokenizer(image_token="<soft>", boi_token="<boi>", eoi_token="<eoi>")
    config = transformers.Gemma3Config(
        text_config=words(
            tokenizer, "gemma3_text", head_dim=16, sliding_window=16, tie_word_embeddings=False
        ),
        vision_config=SIGLIP,
        mm_tokens_per_image=4,
        image_token_index=tokenizer.image_token_id,
        boi_token_index=tokenizer.boi_token_id,
        eoi_token_index=tokenizer.eoi_token_id,
        initializer_range=0.5,
        tie_word_embeddings=False,
    )
    model = made(
        config,
        tokenizer,
        picture_processor("Gemma3ImageProcessor", size=SQUARE),
        {"processor_class": "Gemma3Processor", "image_seq_length": 4},
        lambda seen: "<boi>" + "<soft>" * 4 + "<eoi>",
        "<boi>",
        further=lambda inputs: {
            "token_type_ids": (inputs["input_ids"] == tokenizer.image_token_id).int()
        },
    )
    torch.nn.init.normal_(model.model.model.multi_modal_projector.mm_input_projection_weight)
    return model


def _internvl() -> Seeing:
    tokenizer = word_tokenizer(
        start_image_token="<img>",
        end_image_token="</img>",
        context_image_token="<seen>",
        video_token="<video>",
    )
    config = transformers.InternVLConfig(
        text_config=words(tokenizer),
        vision_config=VISION,
        image_token_id=tokenizer.context_image_token_id,
        image_seq_length=4,
    )
    return made(
        config,
        tokenizer,
        picture_processor("GotOcr2ImageProcessor", size=SQUARE, crop_to_patches=True),
        {"processor_class": "InternVLProcessor", "image_seq_length": 4},
        lambda seen: "<img>" + "<seen>" * 4 * len(seen["pixel_values"]) + "</img>",
        "<seen>",
    )


def _idefics_2() -> Seeing:
    tokenizer = word_tokenizer(
        "<end_of_utterance>", image_token="<image>", image_boundary_token="<fake>"
    )
    config = transformers.Idefics2Config(
        text_config=words(tokenizer, "mistral"),
        vision_config=VISION,
        image_token_id=tokenizer.image_token_id,
        perceiver_config={
            "hidden_size": 32,
            "resampler_n_latents": 4,
            "resampler_depth": 1,
            "resampler_n_heads": 2,
            "resampler_head_dim": 16,
            "num_key_value_heads": 2,
            "initializer_range": 0.5,
        },
    )
    images = picture_processor(
        "Idefics2ImageProcessor",
        size={"shortest_edge": 24, "longest_edge": SIDE},
        do_image_splitting=False,
    )
    processor = {"processor_class": "Idefics2Processor", "image_seq_len": 4}
    return made(
        config, tokenizer, images, processor, lambda seen: "<fake>" + "<image>" * 4 + "<fake>"
    )


def _aya() -> Seeing:
    tiles = [f"TILE_{i}" for i in range(1, 13)]
    tokenizer = word_tokenizer(
        *("<image>", "<|START_OF_IMG|>", "<|END_OF_IMG|>", "<|IMG_PATCH|>", "TILE_GLOBAL", *tiles)
    )
    config = transformers.AyaVisionConfig(
        text_config=words(tokenizer),
        vision_config=SIGLIP,
        image_token_index=tokenizer.convert_tokens_to_ids("<|IMG_PATCH|>"),
        downsample_factor=2,
    )
    processor = {
        "processor_class": "AyaVisionProcessor",
        "patch_size": VISION["patch_size"],
        "img_size": SIDE,
        "downsample_factor": 2,
    }

    def image(seen: Any) -> str:
        marks = [*tiles[: len(seen["pixel_values"]) - 1], "TILE_GLOBAL"]
        looks = "".join(mark + "<|IMG_PATCH|>" * 4 for mark in marks)
        return f"<|START_OF_IMG|>{looks}<|END_OF_IMG|>"

    images = picture_processor("GotOcr2ImageProcessor", size=SQUARE, crop_to_patches=True)
    return made(config, tokenizer, images, processor, image)


def _mllama() -> Seeing:
    tokenizer = word_tokenizer("<|python_tag|>", "<|image|>")
    config = transformers.MllamaConfig(
        text_config={
            **CHATTING,
            "vocab_size": len(tokenizer) - 1,  # the mark of a picture is never said
            "num_hidden_layers": 2,
            "cross_attention_layers": [1],
            "rope_scaling": {"rope_type": "default"},
        },
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 1,
            "num_global_layers": 1,
            "attention_heads": 2,
            "image_size": SIDE,
            "patch_size": 8,
            "max_num_tiles": 4,
            "intermediate_layers_indices": [0],
            "vision_output_dim": 64,
            "initializer_range": 0.5,
        },
        image_token_index=len(tokenizer) - 1,
    )

    def further(inputs: dict[str, Any]) -> dict[str, Any]:
        ids, tiles = inputs["input_ids"], int(inputs["num_tiles"][0][0])
        mask = torch.zeros(*ids.shape, 1, 4, dtype=torch.long)
        mask[:, int((ids[0] == len(tokenizer) - 1).nonzero()[0, 0]) :, :, :tiles] = 1
        return {"cross_attention_mask": mask}

    images = picture_processor("MllamaImageProcessor", size=SQUARE, max_image_tiles=4)
    processor = {"processor_class": "MllamaProcessor"}
    model = made(
        config,
        tokenizer,
        images,
        processor,
        lambda seen: "<|image|>",
        "<|image|>",
        "[CLS] {image} [CLS] {question} [SEP]",  # its own first token comes after the picture
        further,
    )
    for name, weight in model.model.named_parameters():
        if "attn_gate" in name or "mlp_gate" in name:  # closed before training
            torch.nn.init.ones_(weight)
    return model


def _janus() -> Seeing:
    tokenizer = word_tokenizer(image_token="<image>", boi_token="<boi>", eoi_token="<eoi>")
    quantiser = {"embed_dim": 8, "num_embeddings": 32, "base_channels": 32, "latent_channels": 32}
    config = transformers.JanusConfig(
        text_config=words(tokenizer),
        vision_config={
            "hidden_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 48,
            "patch_size": 2,
            "mlp_ratio": 2,
            "projection_dim": 32,
            "num_image_tokens": 576,
            "initializer_range": 0.5,
        },
        vq_config=quantiser
        | {"projection_dim": 32, "image_token_embed_dim": 32, "channel_multiplier": [1]},
        image_token_id=tokenizer.image_token_id,
    )
    images = picture_processor("JanusImageProcessor", size={"height": 48, "width": 48}, min_size=8)
    processor = {"processor_class": "JanusProcessor", "num_image_tokens": 576}
    return made(config, tokenizer, images, processor, lambda seen: f"<boi>{'<image>' * 576}<eoi>")


def _qwen(name: str, **vision: Any) -> Seeing:
    marks = ("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")
    tokenizer = word_tokenizer(*marks)
    image, video, start, end = tokenizer.convert_tokens_to_ids(list(marks))
    rope = {"type": "mrope", "rope_type": "default", "mrope_section": [2, 3, 3]}
    config = getattr(transformers, f"{name}Config")(
        text_config=CHATTING | {"vocab_size": len(tokenizer), "rope_scaling": rope, "head_dim": 16},
        vision_config={
            "depth": 1,
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_heads": 2,
            "patch_size": 8,
            "spatial_merge_size": 2,
            "out_hidden_size": 32,
            **vision,
        },
        image_token_id=image,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=end,
    )
    images = picture_processor(
        "Qwen2VLImageProcessor", patch_size=8, merge_size=2, min_pixels=1024, max_pixels=4096
    )

    def seen_as(seen: Any) -> str:
        return "<|image_pad|>" * (int(seen["image_grid_thw"][0].prod()) // 4)

    model = made(
        config,
        tokenizer,
        images,
        {"processor_class": f"{name}Processor"},
        seen_as,
        "<|image_pad|>",
    )
    if "mm_token_type_ids" in inspect.signature(model.model.forward).parameters:
        model.further = lambda inputs: {"mm_token_type_ids": (inputs["input_ids"] == image).int()}
    return model


CHATTING_MODELS = {
    "llava": _llava,
    "vipllava": lambda: _llava("VipLlava", vision_feature_layers=[-1, -1]),
    "llava_next": _llava_next,
    "llava_onevision": _llava_onevision,
    "gemma3": _gemma_3,
    "internvl": _internvl,
    "idefics2": _idefics_2,
    "aya_vision": _aya,
    "mllama": _mllama,
    "janus": _janus,
    "qwen2_5_vl": lambda: _qwen("Qwen2_5_VL", window_size=32, fullatt_block_indexes=[0]),
    "qwen3_vl": lambda: _qwen("Qwen3VL", num_position_embeddings=64, deepstack_visual_indexes=[0]),
}
if FOUR:  # it would read these words with the rules of Llama's
    del CHATTING_MODELS["janus"]
