"""Tiny checkpoints of models that see and are asked in plain words, without a chat."""

from __future__ import annotations

from typing import Any

import torch
import transformers
from seeing import PATCHES, SHORTEST, SIGLIP, SQUARE, Seeing, made, words
from tiny_captioners import BODY, CLS, PAD, SEP, VISION, opt, picture_processor, word_tokenizer
from tokenizers import processors


def _paligemma() -> Seeing:
    tokenizer = word_tokenizer(image_token="<image>")
    tokenizer.backend_tokenizer.post_processor = processors.Sequence([])  # the processor adds all
    config = transformers.PaliGemmaConfig(
        text_config=words(tokenizer, "gemma", head_dim=16, tie_word_embeddings=False),
        vision_config=SIGLIP,
        image_token_index=tokenizer.image_token_id,
        projection_dim=32,
        tie_word_embeddings=False,
    )
    images = picture_processor("SiglipImageProcessor", size=SQUARE)
    images.image_seq_length = PATCHES
    return made(
        config,
        tokenizer,
        images,
        {"processor_class": "PaliGemmaProcessor"},
        lambda seen: "<image>" * PATCHES,
        "",
        "{image} [CLS] {question}",
        lambda inputs: {"token_type_ids": torch.zeros_like(inputs["input_ids"])},
    )


def _instructblip() -> Seeing:
    tokenizer, asks = word_tokenizer("<image>"), word_tokenizer()
    config = transformers.InstructBlipConfig(
        vision_config=VISION,
        qformer_config=BODY | {"vocab_size": len(asks), "encoder_hidden_size": 32},
        text_config=opt(tokenizer),
        num_query_tokens=4,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        initializer_range=0.5,
    )

    def further(inputs: dict[str, Any]) -> dict[str, Any]:
        asked = inputs["input_ids"][:, 4:]  # without the picture
        return {"qformer_input_ids": asked, "qformer_attention_mask": torch.ones_like(asked)}

    model = made(
        config,
        tokenizer,
        picture_processor("BlipImageProcessor", size=SQUARE),
        {"processor_class": "InstructBlipProcessor", "num_query_tokens": 4},
        lambda seen: "<image>" * 4,
        "",
        "{image} [CLS] {question} [SEP]",
        further,
        {"qformer_tokenizer": asks},
    )
    torch.nn.init.normal_(model.model.query_tokens)
    torch.nn.init.normal_(model.model.language_projection.weight)
    return model


def _kosmos_2() -> Seeing:
    tokenizer = word_tokenizer("<image>", "</image>")
    tokenizer.add_tokens([f"<seen_{i}>" for i in range(64)])
    config = transformers.Kosmos2Config(
        text_config={
            "vocab_size": len(tokenizer) + 1100,  # with those that tell of places
            "embed_dim": 32,
            "layers": 1,
            "ffn_dim": 64,
            "attention_heads": 2,
            "init_std": 0.5,
            "tie_word_embeddings": False,
            "max_position_embeddings": 128,
            "bos_token_id": CLS,
            "eos_token_id": SEP,
            "pad_token_id": PAD,
        },
        vision_config=VISION,
        latent_query_num=64,
        tie_word_embeddings=False,
    )

    def further(inputs: dict[str, Any]) -> dict[str, Any]:
        ids = inputs["input_ids"].clone()
        ids[:, 2:66] = torch.arange(64) + tokenizer.unk_token_id + 1
        mask = torch.zeros_like(ids)
        mask[:, 2:66] = 1
        return {"input_ids": ids, "image_embeds_position_mask": mask}

    model = made(
        config,
        tokenizer,
        picture_processor("CLIPImageProcessor", **SHORTEST),
        {"processor_class": "Kosmos2Processor"},
        lambda seen: "<image>" + "<seen_0>" * 64 + "</image>",
        "",
        "[CLS] {image} {question}",
        further,
    )
    with torch.no_grad():  # it says words
        model.model.get_output_embeddings().weight[len(tokenizer) - 66 :] = 0
    return model


def _pix2struct() -> Seeing:
    tokenizer = word_tokenizer("<unused>")
    body = {"hidden_size": 32, "d_kv": 16, "d_ff": 64, "initializer_factor": 5.0}
    config = transformers.Pix2StructConfig(
        text_config=body
        | {
            "vocab_size": len(tokenizer),
            "num_layers": 1,
            "num_heads": 2,
            "decoder_start_token_id": PAD,
            "eos_token_id": SEP,
            "pad_token_id": PAD,
        },
        vision_config=body
        | {
            "patch_embed_hidden_size": 8 * 8 * 3,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "seq_len": 4096,
        },
        initializer_range=0.5,
    )

    images = picture_processor(
        "Pix2StructImageProcessor", patch_size={"height": 8, "width": 8}, max_patches=2048
    )
    processor = {"processor_class": "Pix2StructProcessor"}
    model = made(
        config,
        tokenizer,
        images,
        processor,
        mark="",
        prompt="[CLS] {question}",
        further=lambda inputs: {"decoder_input_ids": inputs.pop("input_ids")},
    )
    with torch.no_grad():  # it does not end at once
        model.model.get_output_embeddings().weight[SEP] = 0
    return model


ASKED_MODELS = {
    "instructblip": _instructblip,
    "kosmos-2": _kosmos_2,
    "paligemma": _paligemma,
    "pix2struct": _pix2struct,
}
