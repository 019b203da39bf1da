"""Memory files: words that a person keeps in ``memories.jsonl`` or ``memories.csv``."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rememberai.photos.text import clean
from rememberai.records import Memory, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAMES = ("memories.jsonl", "memories.csv")  # the first wins within a folder
_COLUMNS = ("photo", "text", "author", "date")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a memory file.

    Attributes
    ----------
    file
        The memory file's path below the album's folder.
    line
        The line that the row starts on, counted from 1.
    photo
        A URI, or a path below the memory file's folder with forward slashes; None where the row
        names no photo.
    memory
        Its text may be empty: a row that still waits for words.
    """

    file: str
    line: int
    photo: str | None
    memory: Memory

    @property
    def item(self) -> str:
        """The name that a user knows the row by."""
        return f"{self.file}, line {self.line}"


class BadRowError(ValueError):
    """A line or record that can't be read; says why and what to do."""


def is_uri(reference: str) -> bool:
    """Tell a reference to something on the web from a path."""
    return "://" in reference


def read_rows(path: Path, name: str) -> Iterator[tuple[int, Row | Outcome]]:
    """Read a memory file (UTF-8): each row, or the outcome of a row that can't be used.

    Parameters
    ----------
    path
        The file.
    name
        Its path below the album's folder, for messages.

    Yields
    ------
    tuple of int and Row or Outcome
        The line that it starts on, and what it is.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        yield 0, Outcome(name, "failed", f"can't be read ({error}); check its permissions")
        return
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        reason = "is not in UTF-8; none of its rows was read: save it as UTF-8"
        yield line, Outcome(f"{name}, line {line}", "failed", reason)
        return
    for line, record in records(text, path.suffix.lower()):
        try:
            if isinstance(record, BadRowError):
                raise record
            yield line, _row(record, name, line)
        except BadRowError as error:
            yield line, Outcome(f"{name}, line {line}", "failed", str(error))


def records(text: str, suffix: str) -> Iterator[tuple[int, Any]]:
    """Split the text of a ``.jsonl`` or ``.csv`` file into records.

    Yields
    ------
    tuple of int and object
        The line that it starts on, and what stands there: any JSON, or a dictionary from a CSV
        column (in lower case) to its field; or a BadRowError.
    """
    return _json_lines(text) if suffix == ".jsonl" else _csv_records(text)


def _json_lines(text: str) -> Iterator[tuple[int, Any]]:
    for line, source in enumerate(text.split("\n"), start=1):
        if not source.strip():
            continue
        try:
            record = json.loads(source)
        except (ValueError, RecursionError) as error:
            yield line, BadRowError(f"is no JSON object ({error}); write one object a line")
        else:
            yield line, record


def _csv_records(text: str) -> Iterator[tuple[int, Any]]:
    first_line = text.lstrip().split("\n", 1)[0]
    delimiter = max(",;\t", key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, BadRowError(f"is no readable CSV ({error})")
            continue
        if not any(field.strip() for field in fields):
            continue
        if header is None:
            header = [field.strip().lower() for field in fields]
        elif len(fields) > len(header):
            yield (
                line,
                BadRowError(
                    f"has {len(fields)} fields where the header has {len(header)}; put double "
                    f"quotes around a text that contains {delimiter!r}"
                ),
            )
        else:
            yield line, dict(zip(header, fields, strict=False))


def _row(record: Any, name: str, line: int) -> Row:
    if not isinstance(record, dict):
        kind = type(record).__name__
        raise BadRowError(f"is no JSON object but {kind}; write one object a line")
    if "text" not in record:
        raise BadRowError(f"has no column 'text'; the columns are {', '.join(_COLUMNS)}")
    text, photo = record["text"], record.get("photo")
    if not isinstance(text, str):
        raise BadRowError(f"its text is no string but {type(text).__name__}; put it in quotes")
    if not isinstance(photo, str | None):
        raise BadRowError(f"its photo is no string but {type(photo).__name__}; put it in quotes")
    author, written = (_remark(record.get(key)) for key in ("author", "date"))
    memory = Memory(clean(text), "file", author, written)
    return Row(name, line, _reference(photo), memory)


def _reference(photo: str | None) -> str | None:
    photo = clean(photo or "")
    return photo or None if not photo or is_uri(photo) else below(photo)


def below(photo: str) -> str:
    """Give a path below a folder, as Windows or other systems write it, with forward slashes.

    Raises
    ------
    BadRowError
        It leads out of the folder.
    """
    path = photo.replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or re.match("[A-Za-z]:", path) or ".." in parts or not parts:
        raise BadRowError(
            f"its photo {photo!r} lies outside of the file's folder; name a photo in or below that "
            "folder"
        )
    return "/".join(parts)


def _remark(value: Any) -> str | None:
    if not isinstance(value, str | int | float):
        return None
    return clean(str(value)) or None
