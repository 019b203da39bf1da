"""Captioning models of transformers, whatever their family."""

from __future__ import annotations

import logging
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any

from rememberai._models import ModelSource, loading, pick_device, quiet, refuse_absent
from rememberai._optional import require
from rememberai.captioners._parts import PAIRED, Pair, Processor, load, needs_a_prompt, plain
from rememberai.captioners.base import checked
from rememberai.errors import InputError, ModelError
from rememberai.records import Caption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL.Image import Image

_log = logging.getLogger(__name__)
_DTYPES = ("auto", "float32", "bfloat16", "float16")


class TransformersCaptioner:
    """Describes pictures with an image-to-text model, without sampling.

    BLIP (Li et al., ICML 2022), BLIP-2 (Li et al., ICML 2023), GIT (Wang et al., TMLR 2022), vision
    encoders with a text decoder such as ViT-GPT2, Florence-2 (Xiao et al., CVPR 2024), and chat
    models that see: SmolVLM, Idefics3, Qwen-VL and every other image-text-to-text model of
    transformers. The model is loaded at first use; weights are safetensors, no code from the
    model's folder is run.

    Parameters
    ----------
    model
        A folder, or a repository on the hub.
    device
        A torch device, or ``"auto"``.
    dtype
        ``"float32"``, ``"bfloat16"``, ``"float16"``, or ``"auto"``: bfloat16 on a GPU that computes
        in it, else float32.
    batch_size
        Pictures that go through the model at once, at most; when the memory is not enough, half as
        many from then on.
    num_beams
        1 decodes greedily; more keep as many beams, ranked by their mean log-probability.
    max_new_tokens
        Longest caption, in tokens of the model.
    prompt
        For a chat model the question (by default, to describe the photo in a short sentence); for
        Florence-2 the task (by default ``"<CAPTION>"``); for the others words that the caption goes
        on from, which are not part of it, or what it is asked: InstructBLIP, PaliGemma, Kosmos-2
        and chat models without a chat template need one.
    offline
        Never ask the hub.
    revision
        Commit, tag or branch of the repository.

    Raises
    ------
    InputError
        An argument can't be used; at first use: the model needs a prompt, or takes none.
    ModelError
        The model can't be found or loaded, is of another kind, or fails on every picture.
    MissingExtraError
        At first use: transformers, torch, or torchvision for the few models that prepare pictures
        with it, is not installed.
    """

    def __init__(
        self,
        model: str,
        *,
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int = 8,
        num_beams: int = 1,
        max_new_tokens: int = 40,
        prompt: str | None = None,
        offline: bool = False,
        revision: str | None = None,
    ) -> None:
        if min(batch_size, num_beams, max_new_tokens) < 1:
            raise InputError(
                "batch_size, num_beams and max_new_tokens must be at least 1, "
                f"they are {batch_size}, {num_beams} and {max_new_tokens}."
            )
        if dtype not in _DTYPES:
            raise InputError(f"dtype is one of {', '.join(_DTYPES)}; {dtype!r} came")
        self.device = device
        self.dtype = dtype
        self.batch_size = batch_size
        self.num_beams = num_beams
        self.max_new_tokens = max_new_tokens
        self.prompt = prompt
        self._source = ModelSource(model, revision=revision, offline=offline)
        self._fit = batch_size  # pictures for which the memory was enough so far

    @property
    def model_id(self) -> str:
        """Name and fingerprint of the files, ``"my-blip@1a2b3c4d"``."""
        return self._source.model_id

    @property
    def side(self) -> int | None:
        """Pixels of the shorter side that the model looks at; None where it takes any shape."""
        return self._loaded[1].side

    def caption(self, images: Sequence[Image]) -> list[Caption]:
        """Describe pictures.

        Parameters
        ----------
        images
            Pictures of any size and mode.

        Returns
        -------
        list of Caption, length n
            Caption i belongs to picture i. It has no text, and says why, where the model said
            nothing, refused, went in circles, or failed on this picture.
        """
        _ = self._loaded  # what fails here concerns no picture
        # Alike sizes together, since some models see more of a large picture; the largest first,
        # since it is they that do not fit.
        order = sorted(range(len(images)), key=lambda i: images[i].size, reverse=True)
        captions: dict[int, Caption] = {}
        failures: list[str] = []
        while len(captions) < len(order):
            batch = order[len(captions) : len(captions) + self._fit]
            pictures = [_rgb(images[i]) for i in batch]
            captions.update(zip(batch, self._describe(pictures, failures), strict=True))
        if failures and len(failures) == len(images) and not self._works(self.prompt):
            if self.prompt is None and self._works("a photo of"):
                raise needs_a_prompt(self._loaded[0].config.model_type)
            raise ModelError(f"the model {self.model_id} fails on every picture: {failures[0]}")
        return [captions[i] for i in range(len(images))]

    def _works(self, prompt: str | None) -> bool:
        """Whether it can describe a plain picture, asked so."""
        try:
            self._generate([plain()], self._parts(self._loaded[0].config, prompt))
        except Exception:  # whatever a processor or a model raises
            return False
        return True

    def _describe(self, pictures: Sequence[Image], failures: list[str]) -> list[Caption]:
        """Describe pictures together, or in halves when that fails; one that fails alone is told.

        Parameters
        ----------
        failures
            Gets the reason of each picture that fails alone.
        """
        begun = perf_counter()
        try:
            said = self._generate(pictures, self._loaded[1])
        # Whatever a processor or a model raises about one picture must not cost the others.
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"[:300]
            memory = _is_out_of_memory(error)
        else:
            seconds = (perf_counter() - begun) / len(pictures)
            return [
                checked(Caption(text, self.model_id, confidence, seconds))
                for text, confidence in said
            ]
        if memory:  # the error, which held what filled it, is gone by now
            self._free_memory(len(pictures), failure)
        if len(pictures) == 1:
            failures.append(failure)
            reason = f"the captioner failed on it ({failure})"
            return [Caption("", self.model_id, reason=reason)]
        half = (len(pictures) + 1) // 2
        first, second = pictures[:half], pictures[half:]
        return self._describe(first, failures) + self._describe(second, failures)

    def _free_memory(self, n: int, failure: str) -> None:
        torch = require("torch")
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self._fit = max(1, n // 2)
        _log.warning("%d pictures at once need too much memory (%s); half as many", n, failure)

    def _generate(
        self, pictures: Sequence[Image], parts: Pair | Processor
    ) -> list[tuple[str, float | None]]:
        """Give the text and the mean log-probability of its tokens for each picture.

        Raises
        ------
        ValueError
            The model makes one text of several pictures.
        """
        torch, model = require("torch"), self._loaded[0]
        watch = _Watch()
        beams = {"length_penalty": 1.0, "output_scores": True} if self.num_beams > 1 else {}
        with quiet(), torch.inference_mode():
            inputs = {
                name: _placed(value, model)
                for name, value in parts.inputs(pictures).items()
                if isinstance(value, torch.Tensor) or _are_tensors(value)
            }
            found = model.generate(
                **inputs,
                **beams,
                max_new_tokens=self.max_new_tokens,
                do_sample=False,
                num_beams=self.num_beams,
                logits_processor=[watch],
                return_dict_in_generate=True,
            )
            # Janus lets nobody watch; all that it gives begins with what it was given.
            start = inputs["input_ids"].shape[1] if watch.start is None else watch.start
            tokens = found.sequences[:, start:].cpu()
            texts = parts.tokenizer.batch_decode(tokens, skip_special_tokens=True)
            if watch.start is None:
                sure = [None] * len(texts)
            elif self.num_beams > 1:
                sure = found.sequences_scores.tolist()
            else:
                spoken = ~torch.isin(tokens, torch.tensor(_unspoken(parts.tokenizer)))
                sure = watch.mean(spoken).tolist()
        return [(text, mean) for _, text, mean in zip(pictures, texts, sure, strict=True)]

    @cached_property
    def _loaded(self) -> tuple[Any, Pair | Processor]:
        """The model and what prepares its inputs."""
        transformers = require("transformers")
        device, folder = pick_device(self.device), self._source.folder
        with loading(folder):
            config = load(folder, "AutoConfig")
        kind = config.model_type
        if type(config) not in transformers.MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
            raise ModelError(
                "a model that turns pictures into text was wanted (BLIP, Florence-2, SmolVLM, "
                f"...), but {folder} holds a {kind!r} model"
            )
        parts = self._parts(config, self.prompt)
        with loading(folder):
            model, report = load(
                folder,
                "AutoModelForImageTextToText",
                use_safetensors=True,
                dtype=_dtype(self.dtype, device),
                output_loading_info=True,
            )
        refuse_absent(report, folder, kind)
        return model.to(device), parts

    def _parts(self, config: Any, prompt: str | None) -> Pair | Processor:
        folder, kind = self._source.folder, config.model_type
        with loading(folder):
            if kind in PAIRED:
                return Pair(kind, folder, prompt)
            return Processor(config, folder, prompt)


class _Watch:
    """Sees what a model generates: where its own words begin, and how sure it is of each token."""

    def __init__(self) -> None:
        self.start: int | None = None
        self._sure: list[Any] = []

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Look at the scores of the next token, as transformers' logits processors do."""
        if self.start is None:
            self.start = input_ids.shape[1]
        scores = scores.float()
        self._sure.append(scores.amax(-1) - scores.logsumexp(-1))  # the likeliest is what is said
        return scores

    def mean(self, counted: Any) -> Any:
        """Average over the (n, length) tokens that are counted: (n,) log-probabilities."""
        sure = require("torch").stack(self._sure, 1).cpu()
        return (sure * counted).sum(1) / counted.sum(1).clamp(min=1)


def _are_tensors(value: Any) -> bool:
    tensor = require("torch").Tensor
    return isinstance(value, list) and all(isinstance(part, tensor) for part in value)


def _placed(value: Any, model: Any) -> Any:
    """Put a tensor, or each of a list, where the model is; numbers in its own precision."""
    if isinstance(value, list):
        return [_placed(part, model) for part in value]
    return value.to(model.device, model.dtype if value.is_floating_point() else None)


def _rgb(image: Image) -> Image:
    return image if image.mode == "RGB" else image.convert("RGB")


def _unspoken(tokenizer: Any) -> list[int]:
    """List the tokens that leave no words: padding, ends, marks."""
    added = tokenizer.added_tokens_decoder.items()
    return [*tokenizer.all_special_ids, *(i for i, token in added if token.special)]


def _dtype(name: str, device: str) -> Any:
    torch = require("torch")
    if name == "auto":
        fast = device.startswith("cuda") and torch.cuda.get_device_capability(device)[0] >= 8
        name = "bfloat16" if fast else "float32"
    return getattr(torch, name)


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError | require("torch").OutOfMemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text or "not enough memory" in text
    )
