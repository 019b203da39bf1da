"""Tiny captioning checkpoints, built from their configs and saved as users' models are."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: E402

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
WORDS = """a one two three red green blue yellow purple circle circles square squares triangle
triangles on black white""".split()
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
    files: dict[str, dict] = field(default_factory=dict)

    def save(self) -> None:
        for part in (self.model, self.tokenizer, self.image_processor):
            part.save_pretrained(self.folder)
        for name, content in self.files.items():
            path = self.folder / name
            there = json.loads(path.read_text()) if path.exists() else {}
            path.write_text(json.dumps(there | content))


def word_tokenizer(*tokens: str, **names: str) -> Any:
    """Make a tokenizer of words, with further special tokens, some of them under a name."""
    words = {word: i for i, word in enumerate(SPECIAL + WORDS)}
    backend = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)]
    )
    backend.add_special_tokens([*tokens, *names.values()])
    seeing: dict[str, Any] = {}
    if tokens or names:  # as those of the models that have any
        seeing = {"bos_token": "[CLS]", "eos_token": "[SEP]", "extra_special_tokens": names}
        seeing["model_input_names"] = ["input_ids", "attention_mask"]
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        **seeing,
    )


def blip(**body: Any) -> tuple[Any, Any]:
    width = body.get("hidden_size", BODY["hidden_size"])
    config = transformers.BlipConfig(
        text_config=TEXT | {"sep_token_id": SEP} | body | {"encoder_hidden_size": width},
        vision_config=VISION | body,
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


def picture_processor(name: str, **options: Any) -> Any:
    """Make a processor that needs no torchvision, under its name in transformers 5 or 4."""
    kind = getattr(transformers, f"{name}Pil", None) or getattr(transformers, name)
    return kind(**options)


BUILDERS = {"blip": blip, "git": _git, "vision-encoder-decoder": _vision_encoder_decoder}
CHAT = (
    "{% for m in messages %}[CLS] red {% for part in m['content'] %}{% if part['type'] == 'text' %}"
    "{{ part['text'] }}{% else %}IMAGE{% endif %}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %} a{% endif %}"
)
CHATTING = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "bos_token_id": CLS,
    "eos_token_id": SEP,
    "pad_token_id": PAD,
    "initializer_range": 0.5,
}


def opt(tokenizer: Any) -> dict[str, Any]:
    """Describe the part of a BLIP-2 that speaks."""
    config = transformers.OPTConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        ffn_dim=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=64,
        word_embed_proj_dim=32,
        init_std=0.5,
        bos_token_id=CLS,
        eos_token_id=SEP,
        pad_token_id=PAD,
    )
    return config.to_dict()


def _blip_2() -> tuple[Any, ...]:
    tokenizer = word_tokenizer("<image>")
    config = transformers.Blip2Config(
        vision_config=VISION,
        qformer_config=BODY | {"vocab_size": 20, "encoder_hidden_size": 32},
        text_config=opt(tokenizer),
        num_query_tokens=4,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        initializer_range=0.5,
    )
    model = transformers.Blip2ForConditionalGeneration(config)
    processor = transformers.BlipImageProcessor(size={"height": SIDE, "width": SIDE})
    return model, tokenizer, processor, {}


def _florence() -> tuple[Any, ...]:
    tokenizer = word_tokenizer(image_token="<image>")
    text = transformers.BartConfig(
        vocab_size=len(tokenizer),
        d_model=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=128,
        init_std=0.5,
        bos_token_id=CLS,
        eos_token_id=SEP,
        pad_token_id=PAD,
        decoder_start_token_id=CLS,
        forced_eos_token_id=None,
    )
    vision = {
        "depths": [1],
        "embed_dim": [32],
        "num_heads": [2],
        "num_groups": [2],
        "patch_size": [7],
        "patch_stride": [4],
        "patch_padding": [3],
        "patch_prenorm": [False],
        "window_size": 4,
        "projection_dim": 32,
        "max_temporal_embeddings": 4,
        "max_position_embeddings": 16,
    }
    config = transformers.Florence2Config(
        text_config=text.to_dict(),
        vision_config=vision,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        is_encoder_decoder=True,
    )
    processor = picture_processor(
        "CLIPImageProcessor", size={"height": SIDE, "width": SIDE}, do_center_crop=False
    )
    processor.image_seq_length = 65  # 8 x 8 patches and their mean
    return transformers.Florence2ForConditionalGeneration(config), tokenizer, processor, {}


def _idefics(name: str) -> tuple[Any, ...]:
    tokenizer = word_tokenizer(
        "<fake_token_around_image>", "<global-img>", "<end_of_utterance>", image_token="<image>"
    )
    text = transformers.LlamaConfig(vocab_size=len(tokenizer), **CHATTING)
    config = getattr(transformers, f"{name}Config")(
        text_config=text.to_dict(),
        vision_config=VISION,
        scale_factor=2,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=PAD,
    )
    model = getattr(transformers, f"{name}ForConditionalGeneration")(config)
    processor = picture_processor(
        f"{name}ImageProcessor",
        size={"longest_edge": SIDE},
        max_image_size={"longest_edge": SIDE},
        do_image_splitting=False,
    )
    said = {"processor_class": f"{name}Processor", "image_seq_len": 4}
    tokenizer.chat_template = CHAT.replace("IMAGE", "<image>")
    return model, tokenizer, processor, {"processor_config.json": said}


def _qwen() -> tuple[Any, ...]:
    seen = ("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")
    tokenizer = word_tokenizer(*seen)
    image, video, start, end = tokenizer.convert_tokens_to_ids(list(seen))
    rope = {"type": "mrope", "rope_type": "default", "mrope_section": [2, 3, 3]}
    config = transformers.Qwen2VLConfig(
        text_config={"vocab_size": len(tokenizer), "rope_scaling": rope, **CHATTING},
        vision_config={
            "depth": 1,
            "embed_dim": 32,
            "hidden_size": 32,
            "num_heads": 2,
            "patch_size": 8,
            "mlp_ratio": 2,
            "spatial_merge_size": 2,
        },
        image_token_id=image,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=end,
    )
    processor = picture_processor(
        "Qwen2VLImageProcessor", patch_size=8, merge_size=2, min_pixels=1024, max_pixels=4096
    )
    tokenizer.chat_template = CHAT.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>")
    four = transformers.__version__.startswith("4.")
    files = {"tokenizer_config.json": {"tokenizer_class": "Qwen2Tokenizer"}} if four else {}
    model = transformers.Qwen2VLForConditionalGeneration(config)
    return model, tokenizer, processor, files


PROCESSED = {
    "blip-2": _blip_2,
    "florence2": _florence,
    "idefics3": lambda: _idefics("Idefics3"),
    "smolvlm": lambda: _idefics("SmolVLM"),
    "qwen2_vl": _qwen,
}
