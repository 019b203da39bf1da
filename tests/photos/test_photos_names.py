"""Names as Windows, macOS and Linux write them lead to the same photos."""

from __future__ import annotations

import json
from pathlib import PurePosixPath, PureWindowsPath
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import outcome_of, save

from rememberai import Album
from rememberai.photos.memories import BadRowError, below
from rememberai.photos.names import Names, folded

MEMORY = "Coffee by the sea"
PARTS = st.lists(
    st.text("aé각 1", min_size=1).filter(lambda part: part == part.strip()), min_size=1
)


def told(folder, photo: str):
    """Write a memory file with one row, and read the folder."""
    row = json.dumps({"photo": photo, "text": MEMORY}, ensure_ascii=False)
    (folder / "memories.jsonl").write_text(row, encoding="utf-8")
    return Album.from_folder(folder)


@given(PARTS)
def test_a_path_below_is_the_same_from_every_system(parts):
    for path in (PureWindowsPath(*parts), PurePosixPath(*parts)):
        assert below(str(path)) == "/".join(parts)


@given(
    PARTS,
    st.sampled_from(["C:\\", "C:", "c:/", "\\\\server\\share\\", "\\", "/", "..\\", "a\\..\\"]),
)
def test_a_path_that_leads_out_is_refused_whatever_system_it_is_of(parts, start):
    with pytest.raises(BadRowError, match="outside"):
        below(start + "\\".join(parts))


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("written", ["NFC", "NFD"])
@pytest.mark.parametrize("name", ["Café/Crème.jpg", "제주/한라산.jpg"])
def test_a_memory_finds_its_photo_composed_or_decomposed(tmp_path, stored, written, name):
    save(tmp_path / normalize(stored, name))
    album = told(tmp_path, normalize(written, name))
    assert album.photos[0].memory.text == MEMORY


def test_of_two_photos_whose_names_look_the_same_the_one_as_written_is_meant(tmp_path):
    names = {form: normalize(form, "Café.jpg") for form in ("NFC", "NFD")}
    for seed, name in enumerate(names.values()):
        save(tmp_path / name, seed=seed)
    if len({path.name for path in tmp_path.iterdir()}) < 2:
        pytest.skip("here both are one file")
    album = told(tmp_path, "Café.jpg")
    assert {photo.name: photo.memory is not None for photo in album.photos} == {
        names["NFC"]: True,
        names["NFD"]: False,
    }


def test_a_memory_finds_its_photo_in_another_case_if_one_alone_can_be_meant(tmp_path):
    save(tmp_path / "Trip" / "IMG_1.JPG")
    assert told(tmp_path, "trip\\img_1.jpg").photos[0].memory.text == MEMORY
    save(tmp_path / "Trip" / "img_1.jpg", seed=1)
    if len(list((tmp_path / "Trip").iterdir())) < 2:
        pytest.skip("here both are one file")
    assert (
        "there is no photo"
        in outcome_of(told(tmp_path, "trip/Img_1.jpg"), "memories.jsonl, line 1").reason
    )
    exact = {p.name: p.memory for p in told(tmp_path, "Trip/img_1.jpg").photos}
    assert (exact["Trip/IMG_1.JPG"], exact["Trip/img_1.jpg"].text) == (None, MEMORY)


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("beside", ["NFC", "NFD"])
@pytest.mark.parametrize("stem", ["Café", "é" * 45, "제주 " * 16 + "끝"])  # Takeout cuts at 46
def test_a_sidecar_belongs_to_its_photo_however_both_are_composed(tmp_path, stored, beside, stem):
    save(tmp_path / normalize(stored, f"{stem}.jpg"))
    sidecar = {"title": f"{stem}.jpg", "description": MEMORY}
    name = normalize(beside, f"{stem}.jpg"[:46] + ".json")
    (tmp_path / name).write_text(json.dumps(sidecar))
    assert Album.from_folder(tmp_path).photos[0].memory.text == MEMORY


@given(st.text(), st.text())
def test_names_are_alike_whatever_their_case_and_composition(name, other):
    assert folded(normalize("NFD", name)) == folded(normalize("NFC", name)) == folded(name)
    assert folded(folded(name)) == folded(name)
    assert Names([name]).find(name) == name
    assert Names([name, other]).find(other) == other
    if folded(name) != folded(other):
        assert Names([name]).find(other) is None


def test_what_windows_keeps_of_deleted_files_is_passed_over(tmp_path):
    save(tmp_path / "a.jpg")
    for seed, folder in enumerate(["$RECYCLE.BIN", "System Volume Information"], 1):
        save(tmp_path / folder / "b.jpg", seed=seed)
    assert [outcome.item for outcome in Album.from_folder(tmp_path).outcomes] == ["a.jpg"]
