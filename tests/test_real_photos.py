"""Real photographs and camera files, from the folder to an answer."""

from __future__ import annotations

import json
import shutil

import pytest

from rememberai import RememberAI


@pytest.fixture(scope="module")
def coco(shared_data, minilm, tmp_path_factory):
    """A store of 154 photographs, each with one of its captions as its memory; and the others."""
    folder = tmp_path_factory.mktemp("coco")
    lines = (shared_data / "coco_photos" / "captions.jsonl").read_text("utf-8").splitlines()
    captions = {row["file"]: row["captions"] for row in map(json.loads, lines)}
    shutil.copytree(shared_data / "coco_photos", folder / "photos")
    (folder / "photos" / "captions.jsonl").unlink()
    rows = [{"photo": name, "text": texts[0]} for name, texts in captions.items()]
    (folder / "photos" / "memories.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    book = RememberAI.create(folder / "book.memories", embedder=minilm)
    report = book.add_folder(folder / "photos")
    assert report.count("done") == len(captions) == 154
    return book, captions


def test_the_words_of_a_memory_find_their_photo(coco):
    book, captions = coco
    for name, texts in captions.items():
        (hit,) = book.search(texts[0], k=1)
        assert hit.name == name
        assert hit.distance < 1e-5


def test_other_people_s_words_find_the_photo_too(coco):
    book, captions = coco
    found = [
        name in {hit.name for hit in book.search(texts[1], k=10)}
        for name, texts in captions.items()
    ]
    assert sum(found) >= 0.9 * len(found)  # ten at random would find 6%


def test_every_camera_file_gets_an_outcome_and_is_stored(shared_data, minilm, tmp_path):
    files = [path.name for path in (shared_data / "exif").iterdir()]
    book = RememberAI.create(tmp_path / "book.memories", embedder=minilm)
    report = book.add_folder(shared_data / "exif")
    assert sorted(outcome.item for outcome in report.outcomes) == sorted(files)
    assert report.count("failed") == 0
    rows = book.store.read(["taken_confidence", "latitude"]).to_pylist()
    assert len(rows) == 43
    assert sum(row["taken_confidence"] != "file" for row in rows) == 40
    assert sum(row["latitude"] is not None for row in rows) == 10
