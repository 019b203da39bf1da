"""What the families of captioning models are given, and how their processors are loaded."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from rememberai._optional import require
from rememberai.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from PIL.Image import Image

PAIRED = ("blip", "git", "vision-encoder-decoder")
_PLAIN = (64, 48)  # pixels
_QUESTION = "Describe this photo in one short sentence."


class Pair:
    """Image processor and tokenizer of BLIP, GIT or a vision encoder with a text decoder.

    Raises
    ------
    InputError
        A prompt is given to a model that takes none.
    """

    def __init__(self, kind: str, folder: Path, prompt: str | None) -> None:
        if prompt is not None and kind == "vision-encoder-decoder":
            raise InputError(f"a {kind!r} model takes no prompt; leave it out")
        self.tokenizer = load(folder, "AutoTokenizer")
        self._images = load(folder, "AutoImageProcessor")
        self.side = _side(self._images)
        self._prompt = prompt
        self._end = None if kind == "blip" else -1  # BLIP drops the last token of a prompt itself

    def inputs(self, pictures: Sequence[Image]) -> Mapping[str, Any]:
        """Give what the model's `generate` takes for n RGB pictures."""
        inputs = dict(self._images(images=list(pictures), return_tensors="pt"))
        if self._prompt is not None:
            tokens = self.tokenizer([self._prompt] * len(pictures), return_tensors="pt")
            for name in ("input_ids", "attention_mask"):
                inputs[name] = tokens[name][:, : self._end]
        return inputs


class Processor:
    """The processor of any other model: a question in a chat, a task, or words to go on from.

    Raises
    ------
    InputError
        The prompt is none of a Florence-2 model's tasks that give plain words, or the model needs
        one and got none.
    MissingExtraError
        The processor needs torchvision.
    """

    def __init__(self, config: Any, folder: Path, prompt: str | None) -> None:
        self._processor = _processor(config, folder)
        self.tokenizer = self._processor.tokenizer
        if not config.is_encoder_decoder:
            self.tokenizer.padding_side = "left"
        if getattr(self._processor, "num_query_tokens", 0) is None:  # BLIP-2 as saved long ago
            self._processor.num_query_tokens = config.num_query_tokens
        self._options: dict[str, Any] = {}
        self._prompt = prompt
        looks_at_parts = True  # of a large picture
        if config.model_type == "florence2":
            self._prompt = self._task(prompt or "<CAPTION>")
            looks_at_parts = False
        elif getattr(self._processor, "chat_template", None):
            self._prompt = self._chat(prompt or _QUESTION)
        elif mark := self._mark():
            if prompt is None:
                raise needs_a_prompt(config.model_type)
            self._prompt = prompt if mark in prompt else mark + prompt
        else:
            looks_at_parts = False
        self.side = None if looks_at_parts else _side(self._processor.image_processor)

    def inputs(self, pictures: Sequence[Image]) -> Mapping[str, Any]:
        """Give what the model's `generate` takes for n RGB pictures."""
        if self._prompt is not None:
            self._options |= {"text": [self._prompt] * len(pictures), "padding": True}
        images = [[picture] for picture in pictures]
        given = dict(self._processor(images=images, return_tensors="pt", **self._options))
        begun = given.get("decoder_input_ids")  # what is gone on from is not at its end
        if begun is not None and begun[0, -1] == self.tokenizer.eos_token_id:
            for name in ("decoder_input_ids", "decoder_attention_mask"):
                given[name] = given[name][:, :-1]
        return given

    def _mark(self) -> str:
        """Give what a text must have where the picture is; empty where the processor puts it in."""
        if not (mark := str(getattr(self._processor, "image_token", ""))):
            return ""
        number = self.tokenizer.convert_tokens_to_ids(mark)
        for before in ("", mark, str(getattr(self._processor, "boi_token", ""))):
            try:
                given = self._processor(
                    images=[[plain()]], text=[f"{before}a"], return_tensors="pt"
                )
            except ValueError:  # a picture more than the text has places
                continue
            if (given["input_ids"] == number).any():
                return before
        return mark

    def _chat(self, question: str) -> str:
        content = [{"type": "image"}, {"type": "text", "text": question}]
        talk = [{"role": "user", "content": content}]
        text: str = self._processor.apply_chat_template(talk, add_generation_prompt=True)
        if (start := self.tokenizer.bos_token) and text.startswith(start):
            self._options["add_special_tokens"] = False
        return text

    def _task(self, task: str) -> str:
        kinds = self._processor.tasks_answer_post_processing_type
        alone = self._processor.task_prompts_without_inputs
        tasks = [name for name in alone if kinds[name] == "pure_text"]
        if task not in tasks:
            raise InputError(
                f"the prompt of a Florence-2 model is one of its tasks that give plain words, "
                f"{', '.join(tasks)}; {task!r} came"
            )
        return task


def plain() -> Image:
    """Make a picture that no model refuses."""
    from PIL.Image import new

    return new("RGB", _PLAIN, "grey")


def needs_a_prompt(kind: str) -> InputError:
    """Say that a model describes nothing unless it is asked."""
    return InputError(
        f"this {kind!r} model has no chat template and needs a prompt, and none was given; pass "
        f"prompt={_QUESTION!r}, or what the model's card asks it"
    )


def load(folder: Path, name: str, **options: Any) -> Any:
    """Load a part of a model by a class of transformers; nothing is downloaded or run."""
    return getattr(require("transformers"), name).from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, **options
    )


def _side(images: Any) -> int | None:
    """Give the pixels of the shorter side that an image processor scales every picture to."""
    if not getattr(images, "do_resize", False):
        return None
    size = dict(images.size)
    return max(size.get(name) or 0 for name in ("height", "width", "shortest_edge")) or None


def _processor(config: Any, folder: Path) -> Any:
    try:
        return load(folder, "AutoProcessor")
    except (ImportError, ValueError):
        if find_spec("torchvision") is not None:
            raise
    # A part for videos wants torchvision, which pictures do not need.
    try:
        if config.model_type == "smolvlm":
            return load(folder, "Idefics3Processor")  # the same without videos
        return _without_videos(config, folder)
    except ImportError as error:
        raise MissingExtraError(
            f"the processor of this {config.model_type!r} model needs the package 'torchvision', "
            "which is not installed. Install it with: pip install torchvision",
            name="torchvision",
        ) from error


def _without_videos(config: Any, folder: Path) -> Any:
    mapping = require("transformers.models.auto.processing_auto").PROCESSOR_MAPPING
    known = mapping[type(config)]

    class WithoutVideos(known):  # type: ignore[misc, valid-type]
        def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
            if argument is None:
                return None
            return super().check_argument_for_proper_class(argument_name, argument)

    parts = {
        "image_processor": load(folder, "AutoImageProcessor"),
        "tokenizer": load(folder, "AutoTokenizer"),
    }
    names = known.get_attributes() if hasattr(known, "get_attributes") else known.attributes
    fields, _ = known.get_processor_dict(folder, local_files_only=True)
    return WithoutVideos.from_args_and_dict([parts.get(name) for name in names], fields)
