"""The error tree; every error says what was wanted, what came, and what to do.

RememberAIError
├── InputError (also ValueError)       an argument, a file or a folder that can't be used
│   └── ImageError                     a picture that can't be read
├── MissingExtraError (also ImportError)   an optional package that is not installed
├── ModelError                         a model that can't be found or loaded
└── StoreError                         a store that can't be opened or written
    └── ModelMismatchError             a store whose vectors another model made

RememberAIWarning (UserWarning)        the work goes on, but the answer may be poor
└── LanguageWarning                    texts in a language that the model does not know
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class RememberAIError(Exception):
    """Base of every error that RememberAI raises on purpose.

    Attributes
    ----------
    code
        Names the reason, or else the kind of error, for who says it in words of their own, such as
        the page in Korean; messages may change, codes do not.
    fields
        The parts of that reason which differ from time to time, such as a file, by their names.
    """

    code = "other"

    def __init__(
        self,
        *args: object,
        code: str | None = None,
        fields: Mapping[str, str] | None = None,
        **more: str,
    ) -> None:
        super().__init__(*args, **more)
        if code is not None:
            self.code = code
        self.fields = dict(fields or {})


class InputError(RememberAIError, ValueError):
    """An argument, a file or a folder can't be used."""

    code = "input"


class ImageError(InputError):
    """A picture can't be read."""


class MissingExtraError(RememberAIError, ImportError):
    """An optional package is not installed; the message carries the ``pip install`` line."""

    code = "model"


class ModelError(RememberAIError):
    """A model can't be found or loaded."""

    code = "model"


class StoreError(RememberAIError):
    """A store can't be opened or written."""

    code = "store"


class ModelMismatchError(StoreError):
    """The vectors of a store were made by another model than the one given."""


class RememberAIWarning(UserWarning):
    """The work goes on, but the answer may be poor."""


class LanguageWarning(RememberAIWarning):
    """Texts are in a language that the model does not know."""
