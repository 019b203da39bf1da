"""Captioning models of transformers: BLIP, GIT, and any vision encoder with a text decoder."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from rememberai._models import ModelSource, loading, pick_device, quiet
from rememberai._optional import require
from rememberai.captioners.base import usable
from rememberai.errors import InputError, ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image

_PROMPTED = ("blip", "git")
_KNOWN = (*_PROMPTED, "vision-encoder-decoder")


class TransformersCaptioner:
    """Describes pictures with an image-to-text model, decoding greedily.

    BLIP (Li et al., ICML 2022), GIT (Wang et al., TMLR 2022) and VisionEncoderDecoder models such
    as ViT-GPT2. The model is loaded at first use; weights are safetensors, no code from the model's
    folder is run.

    Parameters
    ----------
    model
        A folder, or a repository on the hub.
    device
        A torch device, or ``"auto"``.
    batch_size
        Pictures that go through the model at once.
    max_new_tokens
        Longest caption, in tokens of the model.
    prompt
        Words that the caption goes on from, where the model takes any (BLIP, GIT); they are not
        part of the caption.
    offline
        Never ask the hub.
    revision
        Commit, tag or branch of the repository.

    Raises
    ------
    ModelError
        The model can't be found or loaded, or is of another kind.
    MissingExtraError
        At first use: transformers or torch is not installed.
    """

    def __init__(
        self,
        model: str,
        *,
        device: str = "auto",
        batch_size: int = 8,
        max_new_tokens: int = 40,
        prompt: str | None = None,
        offline: bool = False,
        revision: str | None = None,
    ) -> None:
        if batch_size < 1 or max_new_tokens < 1:
            raise InputError(
                "batch_size and max_new_tokens must be at least 1, "
                f"they are {batch_size} and {max_new_tokens}."
            )
        self.device = device
        self.batch_size = batch_size
        self.max_new_tokens = max_new_tokens
        self.prompt = prompt
        self._source = ModelSource(model, revision=revision, offline=offline)

    @property
    def model_id(self) -> str:
        """Name and fingerprint of the files, ``"my-blip@1a2b3c4d"``."""
        return self._source.model_id

    def caption(self, images: Sequence[Image]) -> list[str]:
        """Describe pictures.

        Parameters
        ----------
        images
            Pictures of any size and mode.

        Returns
        -------
        list of str, length n
            Text i belongs to picture i; ``""`` where the model said nothing, or went in circles.
        """
        return [
            caption
            for start in range(0, len(images), self.batch_size)
            for caption in self._describe(images[start : start + self.batch_size])
        ]

    def _describe(self, images: Sequence[Image]) -> list[str]:
        model, image_processor, tokenizer = self._loaded
        pictures = [image.convert("RGB") for image in images]
        with quiet(), require("torch").inference_mode():
            pixels = image_processor(images=pictures, return_tensors="pt")["pixel_values"]
            tokens = model.generate(
                pixel_values=pixels.to(model.device),
                **self._prompt_tokens(len(pictures)),
                max_new_tokens=self.max_new_tokens,
                do_sample=False,
                num_beams=1,
            )
            texts = tokenizer.batch_decode(tokens, skip_special_tokens=True)
            if self.prompt is None:
                return [usable(text) for text in texts]
            # The prompt as the model gives it back: a tokenizer may change its case and spaces.
            asked = tokenizer.decode(tokenizer(self.prompt)["input_ids"], skip_special_tokens=True)
            return [usable(text.strip().removeprefix(asked.strip())) for text in texts]

    def _prompt_tokens(self, n: int) -> dict[str, Any]:
        if self.prompt is None:
            return {}
        model, _, tokenizer = self._loaded
        tokens = tokenizer([self.prompt] * n, return_tensors="pt").to(model.device)
        end = None if model.config.model_type == "blip" else -1  # BLIP drops the last itself
        return {
            "input_ids": tokens["input_ids"][:, :end],
            "attention_mask": tokens["attention_mask"][:, :end],
        }

    @cached_property
    def _loaded(self) -> tuple[Any, Any, Any]:
        """The model, its image processor and its tokenizer."""
        require("transformers")
        device, folder = pick_device(self.device), self._source.folder
        with loading(folder):
            kind = self._load("AutoConfig").model_type
        if kind not in _KNOWN:
            raise ModelError(
                f"a captioning model ({', '.join(_KNOWN)}) was wanted, but {folder} holds a "
                f"{kind!r} model."
            )
        if self.prompt is not None and kind not in _PROMPTED:
            raise InputError(
                f"a {kind!r} model takes no prompt; leave it out, or use a model of the kind "
                f"{' or '.join(_PROMPTED)}."
            )
        with loading(folder):
            model = self._load(
                "AutoModelForImageTextToText",
                use_safetensors=True,
                dtype=require("torch").float32,
            )
            return (
                model.to(device).eval(),
                self._load("AutoImageProcessor"),
                self._load("AutoTokenizer"),
            )

    def _load(self, auto_class: str, **options: Any) -> Any:
        return getattr(require("transformers"), auto_class).from_pretrained(
            self._source.folder, local_files_only=True, trust_remote_code=False, **options
        )
