"""Photos into the store: words, vectors, rows, and an outcome for each."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from rememberai.captioners.base import source_of
from rememberai.captioning import DecodedAhead, caption_files
from rememberai.errors import InputError, StoreError
from rememberai.moved import found_again, part_from_files
from rememberai.photos.text import clean
from rememberai.records import Outcome, Report
from rememberai.store.schema import photo_row, row_text, to_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rememberai.captioners import Captioner
    from rememberai.photos import Album
    from rememberai.records import Photo, PhotoBurst, Progress
    from rememberai.store import MemoryStore
    from rememberai.words import TextEmbedding

_BATCH = 1024  # photos in a write
_CAPTIONED = 64  # photos in a write when they are captioned, which takes a second or so for each
_MEMORY = ("memory", "memory_origin", "memory_author", "memory_written")
_CAPTION = ("caption", "captioner", "caption_confidence", "caption_seconds", "text_source")
_ATTEMPTS = 5
_DELETED = "it was deleted meanwhile"
_NO_WORDS = "no text yet: no memory and no captioner; `rememberai caption` gives it words later"


@dataclass(slots=True)
class _Draft:
    """A photo on its way: its row, and whether the store must write it.

    Attributes
    ----------
    remarks
        What a person should know of it.
    silence
        Why it has no words, as long as it has none.
    before
        When the store's row of it, as it was read, was last changed; empty where there was none.
    flaw
        Why its words have no vector that can be searched; then it is not written.
    """

    row: dict[str, Any]
    changed: bool
    remarks: list[str] = field(default_factory=list)
    silence: str = _NO_WORDS
    before: dict[str, datetime | None] = field(default_factory=dict)
    flaw: InputError | None = None

    @property
    def text(self) -> str | None:
        """The words that count, if there are any."""
        return row_text(self.row)

    @property
    def labelled(self) -> bool:
        """Whether its words are a label, for which a caption is better."""
        return not self.row.get("memory") and self.row.get("text_source") == "label"

    @property
    def photo_id(self) -> str:
        """The photo's id."""
        return str(self.row["photo_id"])


def add_album(
    store: MemoryStore,
    embed: TextEmbedding,
    captioner: Captioner | None,
    album: Album,
    progress: Progress,
) -> Report:
    """Store an album's photos, batch by batch; what is stored already is completed or skipped."""
    album = found_again(store, album)
    part_from_files(store, album)
    if captioner is None:
        return _add_album(store, embed, None, album, progress)
    said = store.read(["photo_id"], where=f"NOT ({_unsaid(captioner)})")["photo_id"].to_pylist()
    done = set(said)
    silent = [p.path for p in album.photos if p.path and not p.memory and p.photo_id not in done]
    with DecodedAhead(silent, captioner) as decoded:
        return _add_album(store, embed, (captioner, decoded), album, progress)


def _add_album(
    store: MemoryStore,
    embed: TextEmbedding,
    captioning: tuple[Captioner, DecodedAhead] | None,
    album: Album,
    progress: Progress,
) -> Report:
    results: dict[str, Outcome] = {}
    total = len(album.photos)
    size = _BATCH if captioning is None else _CAPTIONED
    for start in range(0, total, size):
        batch = album.photos[start : start + size]
        known = store.read_rows([photo.photo_id for photo in batch])
        drafts = [_draft(photo, known.get(photo.photo_id), album.name) for photo in batch]
        if captioning is not None:
            _caption(drafts, *captioning, partial(_captioned, progress, start, total))
            progress("captioning", start + len(batch), total)
        photos = {photo.photo_id: photo for photo in batch}

        def again(
            old: _Draft, row: dict[str, Any] | None, photos: dict[str, Photo] = photos
        ) -> _Draft:
            return _with_caption_of(old, _draft(photos[old.photo_id], row, album.name))

        written = _write_all(store, embed, drafts, again)
        results.update((draft.photo_id, _outcome(draft)) for draft in written)
        progress("embedding", start + len(batch), total)
    return Report(
        tuple(
            _joined(outcome, results[outcome.photo_id])
            if outcome.status == "done" and outcome.photo_id in results
            else outcome
            for outcome in album.outcomes
        )
    )


def caption_waiting(
    store: MemoryStore,
    embed: TextEmbedding,
    captioner: Captioner,
    progress: Progress,
    bursts: Sequence[PhotoBurst] = (),
) -> Report:
    """Caption the stored pictures without words, batch by batch; labels give way to captions.

    Parameters
    ----------
    bursts
        Photos of which the face is captioned for those of the others that have no words either.
    """
    found = store.read(["photo_id", "path"], where=f"path IS NOT NULL AND ({_unsaid(captioner)})")
    paths = dict(zip(*(found[name].to_pylist() for name in ("photo_id", "path")), strict=True))
    followers = {
        burst.face: [i for i in burst.photo_ids if i in paths and i != burst.face]
        for burst in bursts
        if burst.face in paths
    }
    led = set(chain.from_iterable(followers.values()))
    ids = [photo_id for photo_id in paths if photo_id not in led]
    outcomes: list[Outcome] = []
    id_of = {path: photo_id for photo_id, path in paths.items()}
    with DecodedAhead([paths[i] for i in ids], captioner, id_of) as decoded:
        for start in range(0, len(ids), _CAPTIONED):
            drafts = _still_waiting(store, ids[start : start + _CAPTIONED])
            _caption(drafts, captioner, decoded, partial(_captioned, progress, start, len(ids)))
            drafts += [
                _following(face, draft)
                for face in drafts
                for draft in _still_waiting(store, followers.get(face.photo_id, ()))
            ]
            outcomes += [
                _outcome(draft) for draft in _write_all(store, embed, drafts, _captioned_again)
            ]
    return Report(tuple(outcomes))


def write_memory(
    store: MemoryStore, embed: TextEmbedding, photo_id: str, text: str, author: str | None
) -> Outcome:
    """Write a memory of a stored photo.

    Raises
    ------
    InputError
        The text is empty, its vector can't be searched, or the photo is not in the store.
    """
    memory = clean(text) if isinstance(text, str) else ""
    if not memory:
        raise InputError(f"a memory needs words; {text!r} came", code="memory-empty")
    written = datetime.now(UTC).isoformat(timespec="seconds")
    values = dict(zip(_MEMORY, (memory, "given", author, written), strict=True))

    def remembered(row: dict[str, Any] | None) -> _Draft:
        if row is None:
            raise InputError(f"there is no photo {photo_id!r} in the store", code="photo-absent")
        return replace(_known(row | values), changed=True)

    store.refresh()
    draft = remembered(store.read_rows([photo_id]).get(photo_id))
    (draft,) = _write_all(store, embed, [draft], lambda _, row: remembered(row))
    if draft.flaw is not None:
        raise draft.flaw
    return _outcome(draft)


def _still_waiting(store: MemoryStore, photo_ids: Sequence[str]) -> list[_Draft]:
    """Read photos; others may have deleted some, or written about them, meanwhile."""
    drafts = [_known(row) for _, row in sorted(store.read_rows(photo_ids).items())]
    return [draft for draft in drafts if not draft.text or draft.labelled]


def _following(face: _Draft, draft: _Draft) -> _Draft:
    """Give a photo the caption of its burst's face, which took no time for it."""
    followed = _with_caption_of(face, draft)
    if followed.changed:
        followed.row["caption_seconds"] = None
        followed.remarks.append(f"nearly the same as {face.row['name']}, whose caption it has")
    return followed


def _unsaid(captioner: Captioner) -> str:
    """Give the condition of rows that a captioner is to describe."""
    if source_of(captioner) == "label":
        return "text_source IS NULL"
    return "text_source IS NULL OR text_source = 'label'"


def _captioned_again(old: _Draft, row: dict[str, Any] | None) -> _Draft:
    if row is None:
        return _Draft(old.row | dict.fromkeys(_CAPTION), changed=False, silence=_DELETED)
    return _with_caption_of(old, _known(row))


def _draft(photo: Photo, known: dict[str, Any] | None, album: str) -> _Draft:
    """Lay a photo out as a row, or complete the row that the store has of it."""
    row = photo_row(photo, album)
    if known is None:
        return _Draft(row, changed=True)
    draft = _known(known)
    by_hand = known["memory_origin"] == "given" != row["memory_origin"]
    if row["memory"] and row["memory"] != known["memory"] and by_hand:
        draft.remarks.append("the memory that was written by hand stays")
    elif row["memory"] and row["memory"] != known["memory"]:
        draft.row |= {key: row[key] for key in _MEMORY}
        draft.remarks.append("its memory is new")
        draft.changed = True
    if row["path"] and row["path"] != known["path"] and not _exists(known["path"]):
        draft.row |= {key: row[key] for key in ("path", "name", "album")}
        draft.remarks.append("it was moved")
        draft.changed = True
    return draft


def _known(row: dict[str, Any]) -> _Draft:
    """Take a row of the store as it is."""
    return _Draft(row, changed=False, before={row["photo_id"]: row["updated"]})


def _with_caption_of(old: _Draft, draft: _Draft) -> _Draft:
    """Give a photo the caption that was made for it, unless it has words by now."""
    draft.silence = old.silence
    better = not draft.text or (draft.labelled and not old.labelled)
    if better and old.row.get("caption"):
        draft.row |= {key: old.row[key] for key in _CAPTION}
        draft.changed = True
    return draft


def _captioned(progress: Progress, start: int, total: int, done: int) -> None:
    progress("captioning", start + done, total)


def _exists(path: str | None) -> bool:
    return path is not None and os.path.exists(path)  # noqa: PTH110 - false for one out of reach


def _caption(
    drafts: list[_Draft],
    captioner: Captioner,
    decoded: DecodedAhead,
    progress: Callable[[int], None],
) -> None:
    """Caption the pictures that have no words, or only a label and the captioner knows more."""
    source = source_of(captioner)
    pictures = [
        draft
        for draft in drafts
        if draft.row["path"] and (not draft.text or (draft.labelled and source != "label"))
    ]
    paths = [draft.row["path"] for draft in pictures]
    captions = caption_files(paths, captioner, progress, decoded)
    for draft, caption in zip(pictures, captions, strict=True):
        draft.silence = caption.reason
        if caption.text:
            draft.row |= {
                "caption": caption.text,
                "captioner": caption.model_id,
                "caption_confidence": caption.confidence,
                "caption_seconds": caption.seconds,
                "text_source": source,
            }
            draft.changed = True
            draft.remarks += ["only a label, until a captioner comes"] * (source == "label")


def _write_all(
    store: MemoryStore,
    embed: TextEmbedding,
    drafts: list[_Draft],
    again: Callable[[_Draft, dict[str, Any] | None], _Draft],
) -> list[_Draft]:
    """Write drafts; those of photos that others changed meanwhile are made anew and tried again.

    Parameters
    ----------
    again
        Makes a draft anew from the old one and the row that the store has now, or None.

    Returns
    -------
    list
        The drafts as they were written.
    """
    written: list[_Draft] = []
    for _ in range(_ATTEMPTS):
        refused = _write(store, embed, drafts)
        written += [draft for draft in drafts if draft.photo_id not in refused]
        if not refused:
            return written
        rows = store.read_rows(sorted(refused))
        late = [draft for draft in drafts if draft.photo_id in refused]
        drafts = [again(draft, rows.get(draft.photo_id)) for draft in late]
    raise StoreError(
        f"others change {len(refused)} of the same photos again and again; try again later",
        code="store-busy",
    )


def _write(store: MemoryStore, embed: TextEmbedding, drafts: list[_Draft]) -> set[str]:
    """Embed the words of the changed rows and write them in one transaction.

    Returns
    -------
    set
        The photos that others changed meanwhile, which were not written.
    """
    for draft in drafts:
        reason = None if draft.text else draft.silence
        draft.changed |= draft.row.get("outcome") != reason and draft.silence != _DELETED
        draft.row["outcome"] = reason
    changed, vectors = _embedded(embed, [draft for draft in drafts if draft.changed])
    if not changed:
        return set()
    now = datetime.now(UTC)
    for draft in changed:
        draft.row["updated"] = now
    table = to_table([draft.row for draft in changed], vectors)
    before = {key: value for draft in changed for key, value in draft.before.items()}
    return set(store.upsert_unless_changed(table, before))


def _embedded(
    embed: TextEmbedding, drafts: list[_Draft]
) -> tuple[list[_Draft], NDArray[np.float32]]:
    """Give the drafts that can be written, and the vectors of those that have words."""
    vectors, flaws = embed.each([draft.text for draft in drafts if draft.text])
    for draft in drafts:
        draft.flaw = flaws.get(draft.text or "")
    sound = [draft for draft in drafts if draft.flaw is None]
    spoken = [(draft, draft.text) for draft in sound if draft.text]
    remarks = embed.remarks([text for _, text in spoken])
    for (draft, _), remark in zip(spoken, remarks, strict=True):
        draft.remarks += [remark] if remark else []
    matrix = np.empty((len(spoken), embed.dimension), np.float32)
    for place, (_, text) in enumerate(spoken):
        matrix[place] = vectors[text]
    return sound, matrix


def _outcome(draft: _Draft) -> Outcome:
    name, photo_id = draft.row["name"], draft.photo_id
    if draft.flaw is not None:
        return Outcome(name, "failed", f"its words can't be searched: {draft.flaw}", photo_id)
    if not draft.text:
        return Outcome(name, "waiting", "; ".join((*draft.remarks, draft.silence)), photo_id)
    if draft.labelled and draft.silence not in ("", _NO_WORDS):
        return Outcome(name, "waiting", f"it keeps its label; {draft.silence}", photo_id)
    if not draft.changed:
        return Outcome(
            name, "skipped", "; ".join(("it is stored already", *draft.remarks)), photo_id
        )
    return Outcome(name, "done", "; ".join(draft.remarks), photo_id)


def _joined(read: Outcome, stored: Outcome) -> Outcome:
    """Keep the name and the remark of reading beside what storing said."""
    reason = "; ".join(filter(None, (stored.reason, read.reason)))
    return replace(stored, item=read.item, reason=reason)
