"""What the families of captioning models are given, and how their processors are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rememberai._optional import require
from rememberai.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from PIL.Image import Image

PAIRED = ("blip", "git", "vision-encoder-decoder")
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
        The prompt is none of a Florence-2 model's tasks that give plain words.
    """

    def __init__(self, config: Any, folder: Path, prompt: str | None) -> None:
        self._processor = _processor(config, folder)
        self.tokenizer = self._processor.tokenizer
        if not config.is_encoder_decoder:
            self.tokenizer.padding_side = "left"
        self._options: dict[str, Any] = {}
        self._prompt = prompt
        self._chats = bool(getattr(self._processor, "chat_template", None))
        # Those that chat look at a large picture in parts.
        self.side = None if self._chats else _side(self._processor.image_processor)
        if config.model_type == "florence2":
            self._prompt = self._task(prompt or "<CAPTION>")
        elif self._chats:
            self._prompt = self._chat(prompt or _QUESTION)
        elif getattr(self._processor, "num_query_tokens", 0) is None:  # BLIP-2 as saved long ago
            self._processor.num_query_tokens = config.num_query_tokens

    def inputs(self, pictures: Sequence[Image]) -> Mapping[str, Any]:
        """Give what the model's `generate` takes for n RGB pictures."""
        images = [[picture] for picture in pictures] if self._chats else list(pictures)
        if self._prompt is not None:
            self._options |= {"text": [self._prompt] * len(pictures), "padding": True}
        return dict(self._processor(images=images, return_tensors="pt", **self._options))

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


def load(folder: Path, name: str, **options: Any) -> Any:
    """Load a part of a model by a class of transformers; nothing is downloaded or run."""
    return getattr(require("transformers"), name).from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, **options
    )


def _side(images: Any) -> int | None:
    """Give the pixels of the shorter side that an image processor scales every picture to."""
    if not images.do_resize:
        return None
    size = dict(images.size)
    return max(size.get(name) or 0 for name in ("height", "width", "shortest_edge")) or None


def _processor(config: Any, folder: Path) -> Any:
    try:
        return load(folder, "AutoProcessor")
    except ImportError:  # a part for videos wants torchvision, which pictures do not need
        if config.model_type == "smolvlm":
            return load(folder, "Idefics3Processor")  # the same without videos
        return _without_videos(config, folder)


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
