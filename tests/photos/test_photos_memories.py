"""Which words become a photo's memory, and where they may come from."""

from __future__ import annotations

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import outcome_of, photo_of, save, takeout, xmp_packet
from PIL import Image, TiffImagePlugin
from PIL.ExifTags import Base

from rememberai.photos import Album, open_image
from rememberai.photos.memories import Row, read_rows
from rememberai.photos.takeout import sidecar_names
from rememberai.photos.text import clean, decode, decode_comment, is_boilerplate
from rememberai.records import Memory, Outcome

LONG = "Screenshot_20240518-120005_a_very_long_application_name"


def memory_of(folder, name="a.jpg"):
    return photo_of(Album.from_folder(folder), name).memory


def write_rows(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_the_order_of_the_sources(tmp_path):
    """All sources at once; each is taken away in turn, and the next one shows."""
    utf16 = "from XPComment".encode("utf-16-le")

    def picture(**left_out):
        tags = {
            "main": {Base.ImageDescription: "from ImageDescription", Base.XPComment: utf16},
            "photo": {Base.UserComment: b"ASCII\0\0\0from UserComment"},
        }
        for part, tag in left_out.get("tags", ()):
            del tags[part][tag]
        options = {"xmp": xmp_packet("from embedded XMP"), "iptc": b"from IPTC"}
        for key in left_out.get("options", ()):
            del options[key]
        save(tmp_path / "sub/a.jpg", **tags, **options)

    picture()
    write_rows(tmp_path / "memories.jsonl", {"photo": "sub/a.jpg", "text": "from the parent"})
    write_rows(tmp_path / "sub/memories.jsonl", {"photo": "a.jpg", "text": "from memories.jsonl"})
    (tmp_path / "sub/memories.csv").write_text("photo,text\na.jpg,from memories.csv\n")
    takeout(tmp_path / "sub/a.jpg.json", "from Takeout")
    (tmp_path / "sub/a.xmp").write_bytes(xmp_packet("from the XMP sidecar"))
    seen = []
    steps = [
        lambda: (tmp_path / "sub/memories.jsonl").unlink(),
        lambda: (tmp_path / "sub/memories.csv").unlink(),
        lambda: (tmp_path / "memories.jsonl").unlink(),
        lambda: (tmp_path / "sub/a.jpg.json").unlink(),
        lambda: (tmp_path / "sub/a.xmp").unlink(),
        lambda: picture(options=["xmp"]),
        lambda: picture(options=["xmp", "iptc"]),
        lambda: picture(options=["xmp", "iptc"], tags=[("main", Base.ImageDescription)]),
        lambda: picture(
            options=["xmp", "iptc"],
            tags=[("main", Base.ImageDescription), ("photo", Base.UserComment)],
        ),
        None,
    ]
    for step in steps:
        memory = memory_of(tmp_path, "sub/a.jpg")
        seen.append((memory.origin, memory.text))
        if step:
            step()
    assert seen == [
        ("file", "from memories.jsonl"),
        ("file", "from memories.csv"),
        ("file", "from the parent"),
        ("takeout", "from Takeout"),
        ("xmp", "from the XMP sidecar"),
        ("xmp", "from embedded XMP"),
        ("iptc", "from IPTC"),
        ("exif", "from ImageDescription"),
        ("exif", "from UserComment"),
        ("exif", "from XPComment"),
    ]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_embedded_words_in_every_format(tmp_path, suffix):
    name = f"a{suffix}"
    save(tmp_path / name, main={Base.ImageDescription: "Grandpa's boat"})
    assert memory_of(tmp_path, name) == Memory("Grandpa's boat", "exif")
    if suffix != ".tif":
        save(tmp_path / name, xmp=xmp_packet("바닷가에서 보낸 하루"))
        assert memory_of(tmp_path, name) == Memory("바닷가에서 보낸 하루", "xmp")


@pytest.mark.parametrize("kind", [1, 2], ids=["bytes", "text"])
def test_xmp_in_a_tiff_of_either_kind(tmp_path, kind):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags.tagtype[700] = kind
    tags[700] = xmp_packet("바닷가에서 보낸 하루")
    Image.new("RGB", (8, 6)).save(tmp_path / "a.tif", tiffinfo=tags)
    assert memory_of(tmp_path, "a.tif") == Memory("바닷가에서 보낸 하루", "xmp")
    assert open_image(tmp_path / "a.tif").size == (8, 6)


def test_numbers_in_a_tiff_for_xmp_and_a_profile_are_passed_over(tmp_path):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag in (700, 34675):
        tags.tagtype[tag] = 3
        tags[tag] = (1, 2, 3)
    Image.new("RGB", (8, 6)).save(tmp_path / "a.tif", tiffinfo=tags)
    album = Album.from_folder(tmp_path)
    assert photo_of(album, "a.tif").memory is None
    assert "XMP is no well-formed XML" in outcome_of(album, "a.tif").reason
    assert open_image(tmp_path / "a.tif").getpixel((0, 0)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("raw", "text", "guess"),
    [
        (b"ASCII\0\0\0At the lake", "At the lake", None),
        ("생일 축하해".encode(), "생일 축하해", None),  # no prefix at all
        (b"\0" * 8 + "생일 축하해".encode(), "생일 축하해", None),
        (b"UNICODE\0" + "생일 축하해!".encode("utf-16-le"), "생일 축하해!", None),
        (b"UNICODE\0" + "생일 축하해!".encode("utf-16-be"), "생일 축하해!", None),
        (b"UNICODE\0" + "생일".encode("utf-16"), "생일", None),
        (b"UNICODE\0\xfe\xff" + "가족".encode("utf-16-be"), "가족", None),
        (b"UNICODE\0\xff\xfe" + "가족".encode("utf-16-le"), "가족", None),
        (b"UNICODE\0" + "Our last day".encode("utf-16-le"), "Our last day", None),
        (b"Unicode\0" + "Our last day".encode("utf-16-be") + b"\0", "Our last day", None),
        (b"JIS\0\0\0\0\0" + "海の日".encode("iso2022_jp"), "海の日", "iso2022_jp"),
        (b"JIS\0\0\0\0\0" + "海の日".encode("shift_jis"), "海の日", "shift_jis"),
        (b"ASCII\0\0\0" + "돌잔치에서".encode("cp949"), "돌잔치에서", "cp949"),
        (b"ASCII\0\0\0" + "Käse und Müsli".encode("cp1252"), "Käse und Müsli", "cp1252"),
        (b"ASCII\0\0\0charset=Ascii With Ann", "With Ann", None),
    ],
)
def test_user_comments_in_all_encodings(tmp_path, raw, text, guess):
    save(tmp_path / "a.jpg", photo={Base.UserComment: raw})
    album = Album.from_folder(tmp_path)
    assert album.photos[0].memory == Memory(text, "exif")
    assert (f"read as {guess}" in album.outcomes[0].reason) == bool(guess)


def test_big_endian_hint_decides_where_the_text_does_not():
    raw = b"UNICODE\0" + "생일".encode("utf-16-be")
    assert decode_comment(raw, big_endian=True)[0] == "생일"


def test_iptc_and_descriptions_in_odd_encodings(tmp_path):
    save(tmp_path / "a.jpg", iptc="Fête à la plage".encode("cp1252"))
    assert memory_of(tmp_path) == Memory("Fête à la plage", "iptc")
    save(tmp_path / "a.jpg", iptc=[b"We ran", b"and hid"])
    assert memory_of(tmp_path) == Memory("We ran\nand hid", "iptc")
    save(tmp_path / "a.jpg", main={Base.ImageDescription: "소풍".encode()})
    assert memory_of(tmp_path) == Memory("소풍", "exif")


def test_a_text_cut_in_the_middle_of_a_letter_keeps_the_rest():
    assert decode("첫돌 잔치".encode()[:-1]) == ("첫돌 잔", None)
    assert decode("café".encode("cp1252")) == ("café", "cp1252")


@pytest.mark.parametrize(
    "text",
    [
        "OLYMPUS DIGITAL CAMERA         ",
        "SONY DSC",
        "KONICA MINOLTA DIGITAL CAMERA",
        "MINOLTA DIGITAL CAMERA",
        "SANYO DIGITAL CAMERA",
        "SAMSUNG",
        "Exif_JPEG_PICTURE",
        "DCIM",
        "untitled",
        "default",
        "DIGITAL CAMERA",
        "Charset=Ascii",
        "Processed with VSCO with a6 preset",
        "Created with GIMP",
        "Screenshot",
        "      ",
        "\0\0\0\0",
        "...---...",
        "20240518",
        "12/24/2001 13:30",
        "IMG_2041.JPG",
        "DSC_1801.NEF",
        "DSCN0010",
        "a",  # the file's own name
        "ACME Corp.",
        "Snapper 5",
        "ACME Corp. Snapper 5",
        "Snap OS 1.2",
        "a5cb01550dbb9a6bf732f87e413f6e231cc4581e6a5be800fb0871dce0760cd5",
        '{"mirror":false,"sensor_type":"rear"}',
    ],
)
def test_boilerplate_is_no_memory(tmp_path, text):
    camera = {Base.Make: "ACME Corp.", Base.Model: "Snapper 5 ", Base.Software: "Snap OS 1.2"}
    comment = {Base.UserComment: b"ASCII\0\0\0" + text.encode()}
    save(tmp_path / "a.jpg", main=camera | {Base.ImageDescription: text}, photo=comment)
    takeout(tmp_path / "a.jpg.json", text)
    assert memory_of(tmp_path) is None


@pytest.mark.parametrize(
    "text",
    [
        "My first digital camera",
        "Camera club outing",
        "Made with love by Grandma",
        "Sony's birthday",
        "🎂🎉",
        "생일",
        "é",
        "Default on the loan, but we had fun",
        "2001: a Space Odyssey, with Dad",
        "[sic] what Tom said",
    ],
)
def test_what_a_person_wrote_is_a_memory(text):
    assert not is_boilerplate(text, ["ACME", "a.jpg"])


def test_boilerplate_is_passed_over_for_the_next_source(tmp_path):
    takeout(tmp_path / "a.jpg.json", "SONY DSC")
    save(tmp_path / "a.jpg", main={Base.ImageDescription: "The real words"})
    assert memory_of(tmp_path) == Memory("The real words", "exif")


@given(st.text(alphabet=st.characters(codec=None)))
def test_cleaned_text_is_clean(text):
    words = clean(text)
    assert words == words.strip()
    assert "\0" not in words
    words.encode()  # no lone surrogate is left
    assert clean(words) == words
    is_boilerplate(words, [text])


@given(st.binary(), st.booleans())
def test_decoding_never_raises(raw, big_endian):
    decode(raw)
    decode_comment(raw, big_endian=big_endian)


# Memory files


def test_csv_with_all_columns_a_bom_and_line_breaks(tmp_path):
    save(tmp_path / "a.jpg")
    save(tmp_path / "sub/b.jpg", seed=1)
    source = (
        'Photo,Text,Author,Date\r\na.jpg,"Cake, candles\r\nand ""songs""",Ann,2024-05\r\n'
        "sub\\b.jpg,쌍둥이 돌잔치,,\r\n"
    )
    (tmp_path / "memories.csv").write_bytes(source.encode("utf-8-sig"))
    album = Album.from_folder(tmp_path)
    assert photo_of(album, "a.jpg").memory == Memory(
        'Cake, candles\nand "songs"', "file", "Ann", "2024-05"
    )
    assert photo_of(album, "sub/b.jpg").memory == Memory("쌍둥이 돌잔치", "file")
    assert [outcome.status for outcome in album.outcomes] == ["done", "done"]


def test_csv_with_semicolons(tmp_path):
    save(tmp_path / "a.jpg")
    (tmp_path / "memories.csv").write_text("photo;text\na.jpg;Cake, candles and songs\n")
    assert memory_of(tmp_path).text == "Cake, candles and songs"


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_memory_of_100000_characters(tmp_path, kind):
    save(tmp_path / "a.jpg")
    text = "long ago " * 11_111 + "x"
    if kind == "jsonl":
        write_rows(tmp_path / "memories.jsonl", {"photo": "a.jpg", "text": text})
    else:
        (tmp_path / "memories.csv").write_text(f"photo,text\na.jpg,{text}\n")
    assert memory_of(tmp_path).text == text


def test_accents_composed_differently_are_the_same_name(tmp_path):
    save(tmp_path / "Cafe\u0301.jpg")
    write_rows(tmp_path / "memories.jsonl", {"photo": "Caf\u00e9.jpg", "text": "Coffee"})
    assert Album.from_folder(tmp_path).photos[0].memory.text == "Coffee"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"photo": "a.jpg", "text": ', "no JSON object"),
        ("[1, 2]", "no JSON object but list"),
        ("[" * 100_000, "no JSON object"),
        ('{"photo": "a.jpg"}', "no column 'text'"),
        ('{"photo": "a.jpg", "text": 7}', "its text is no string but int"),
        ('{"photo": 7, "text": "x"}', "its photo is no string but int"),
        ('{"photo": "../a.jpg", "text": "x"}', "outside of the file's folder"),
        ('{"photo": "sub/../../a.jpg", "text": "x"}', "outside of the file's folder"),
        ('{"photo": "/etc/a.jpg", "text": "x"}', "outside of the file's folder"),
        ('{"photo": "C:\\\\a.jpg", "text": "x"}', "outside of the file's folder"),
        ('{"photo": "gone.jpg", "text": "x"}', "correct the name, add the photo, or move the row"),
        ('{"text": "x"}', "names no photo"),
    ],
)
def test_a_bad_row_fails_alone_and_is_named(tmp_path, line, reason):
    save(tmp_path / "a.jpg")
    good = '{"photo": "a.jpg", "text": "good"}'
    (tmp_path / "memories.jsonl").write_text(f"\n{line}\n{good}\n", encoding="utf-8")
    album = Album.from_folder(tmp_path)
    outcome = outcome_of(album, "memories.jsonl, line 2")
    assert outcome.status == "failed"
    assert reason in outcome.reason
    assert album.photos[0].memory.text == "good"


def test_bad_csv_rows_are_named(tmp_path):
    save(tmp_path / "a.jpg")
    rows = ["photo,text", "a.jpg,one, two", "a.jpg", '"gone.jpg","two\nlines"', "a.jpg,good"]
    (tmp_path / "memories.csv").write_text("\n".join(rows))
    album = Album.from_folder(tmp_path)
    assert "3 fields" in outcome_of(album, "memories.csv, line 2").reason
    assert "no column 'text'" in outcome_of(album, "memories.csv, line 3").reason
    assert "gone.jpg" in outcome_of(album, "memories.csv, line 4").reason
    assert album.photos[0].memory.text == "good"


def test_a_csv_field_over_the_limit_fails_alone(tmp_path):
    save(tmp_path / "a.jpg")
    (tmp_path / "memories.csv").write_text(f"photo,text\na.jpg,{'x' * 200_000}\na.jpg,good\n")
    album = Album.from_folder(tmp_path)
    assert outcome_of(album, "memories.csv, line 2").status == "failed"
    assert album.photos[0].memory.text == "good"


def test_a_memory_file_in_another_encoding_fails_as_a_whole(tmp_path):
    save(tmp_path / "a.jpg")
    (tmp_path / "memories.csv").write_bytes("photo,text\na.jpg,소풍\n".encode("cp949"))
    outcome = outcome_of(Album.from_folder(tmp_path), "memories.csv, line 2")
    assert outcome.status == "failed"
    assert "UTF-8" in outcome.reason


def test_rows_that_wait_for_words_and_second_rows_are_skipped(tmp_path):
    save(tmp_path / "a.jpg")
    rows = [("a.jpg", " "), ("a.jpg", "first"), ("a.jpg", "second")]
    write_rows(tmp_path / "memories.jsonl", *({"photo": p, "text": t} for p, t in rows))
    album = Album.from_folder(tmp_path)
    assert outcome_of(album, "memories.jsonl, line 1").reason == "no words in it"
    second = outcome_of(album, "memories.jsonl, line 3")
    assert second.status == "skipped"
    assert "memories.jsonl, line 2; put both texts" in second.reason
    assert album.photos[0].memory.text == "first"


@given(st.binary(), st.sampled_from([".jsonl", ".csv"]), st.booleans())
def test_arbitrary_bytes_give_rows_or_outcomes(tmp_path_factory, content, suffix, header):
    path = tmp_path_factory.mktemp("rows") / f"memories{suffix}"
    path.write_bytes(b"photo,text\n" * header + content)
    for line, row in read_rows(path, path.name):
        assert line >= 1
        assert isinstance(row, Row) or (isinstance(row, Outcome) and row.status == "failed")
    shutil.rmtree(path.parent)


@given(
    st.lists(
        st.tuples(
            st.text("abc/.", max_size=5),
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
        )
    )
)
def test_json_rows_come_back_as_they_were_written(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("rows") / "memories.jsonl"
    write_rows(path, *({"photo": f"x{photo}", "text": text} for photo, text in rows))
    read = [row for _, row in read_rows(path, path.name) if isinstance(row, Row)]
    expected = [clean(text) for photo, text in rows if ".." not in f"x{photo}".split("/")]
    assert [row.memory.text for row in read] == expected
    shutil.rmtree(path.parent)


# Google Takeout's file names


@pytest.mark.parametrize(
    ("photo", "sidecar"),
    [
        ("IMG.jpg", "IMG.jpg.json"),
        ("IMG.jpg", "IMG.jpg.supplemental-metadata.json"),
        ("IMG(1).jpg", "IMG.jpg(1).json"),
        ("IMG(1).jpg", "IMG.jpg.supplemental-metadata(1).json"),
        ("IMG(1).jpg", "IMG(1).jpg.json"),
        ("IMG-edited.jpg", "IMG.jpg.json"),
        ("IMG-edited.jpg", "IMG.jpg.supplemental-metadata.json"),
        ("IMG-edited(2).jpg", "IMG.jpg(2).json"),
        (
            "Screenshot_2017-07-05-10-05-26.png",
            "Screenshot_2017-07-05-10-05-26.png.supplementa.json",
        ),
        (
            "D7157814-D2D5-4A62-AFCE-9CF465CB7D66.jpeg",
            "D7157814-D2D5-4A62-AFCE-9CF465CB7D66.jpeg.supp.json",
        ),
        (
            "Screenshot_20220207_102421_com.snapchat.androi.jpg",
            "Screenshot_20220207_102421_com.snapchat.androi.json",
        ),
        (f"{LONG[:47]}.jpg", f"{LONG[:46]}.json"),
        (f"{LONG[:47]}(1).jpg", f"{LONG[:46]}(1).json"),
    ],
)
def test_takeout_names(tmp_path, photo, sidecar):
    save(tmp_path / photo)
    takeout(tmp_path / sidecar, "Words", title=f"{LONG}.jpg" if LONG[:40] in photo else photo)
    album = Album.from_folder(tmp_path)
    assert album.photos[0].memory == Memory("Words", "takeout")
    assert [outcome.item for outcome in album.outcomes] == [photo]  # the sidecar was used


@pytest.mark.parametrize(
    ("photo", "sidecar"),
    [
        ("IMG.jpg", "IMG.jpg(1).json"),
        ("IMG(1).jpg", "IMG.jpg.json"),
        ("IMG(1).jpg", "IMG.jpg(2).json"),
        ("IMG.jpg", "IMG.png.json"),
        ("IMG.jpg", "IMG.jpg.metadata.json"),
        ("IMG_1.jpg", "IMG_10.jpg.json"),
        (f"{LONG[:47]}.jpg", f"{LONG[:45]}.json"),
    ],
)
def test_names_of_other_sidecars(tmp_path, photo, sidecar):
    save(tmp_path / photo)
    takeout(tmp_path / sidecar, "Words")
    album = Album.from_folder(tmp_path)
    assert album.photos[0].memory is None
    assert outcome_of(album, sidecar).status == "skipped"


def test_photos_cut_to_the_same_sidecar_name_are_told_apart_by_the_title(tmp_path):
    base = "x" * 46
    save(tmp_path / f"{base}1.jpg")
    save(tmp_path / f"{base}2.jpg", seed=1)
    takeout(tmp_path / f"{base}.json", "Words", title=f"{base}2 and more.jpg")
    assert memory_of(tmp_path, f"{base}1.jpg") is None
    assert memory_of(tmp_path, f"{base}2.jpg").text == "Words"


@given(
    stem=st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=80),
    number=st.one_of(st.none(), st.integers(1, 20)),
    suffix=st.sampled_from(["", ".supplemental-metadata"]),
    cut=st.integers(46, 46),
)
def test_what_takeout_writes_is_found(stem, number, suffix, cut):
    """Takeout's own rule, followed forwards, always leads to a name that is looked for."""
    counter = f"({number})" if number else ""
    written = f"{stem}.jpg{suffix}"[:cut] + f"{counter}.json"
    assert written in set(sidecar_names(f"{stem}{counter}.jpg"))
    assert written not in set(sidecar_names(f"y{stem}{counter}.jpg"))


@pytest.mark.parametrize("content", ["{", "[]", '"x"', "\udcff", "[" * 100_000])
def test_a_broken_sidecar_is_reported_and_the_photo_kept(tmp_path, content):
    save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    (tmp_path / "a.xmp").write_bytes(b"<not xml")
    outcome = outcome_of(Album.from_folder(tmp_path), "a.jpg")
    assert outcome.status == "done"
    assert "sidecar a.jpg.json" in outcome.reason
    assert "XMP is no well-formed XML" in outcome.reason


def test_a_sidecar_with_fields_of_other_kinds(tmp_path):
    save(tmp_path / "a.jpg")
    takeout(tmp_path / "a.jpg.json", 5, title=[], photoTakenTime=7, geoData={"latitude": "north"})
    photo = Album.from_folder(tmp_path).photos[0]
    assert (photo.memory, photo.place, photo.taken.confidence) == (None, None, "file")


def test_entities_in_xmp_are_refused(tmp_path):
    bomb = b'<!DOCTYPE x [<!ENTITY a "boom">]>' + xmp_packet("&a;").split(b"?>", 1)[1]
    save(tmp_path / "a.jpg", xmp=bomb)
    album = Album.from_folder(tmp_path)
    assert album.photos[0].memory is None
    assert "ignored" in album.outcomes[0].reason


def test_xmp_sidecars_by_both_names(tmp_path):
    save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg.xmp").write_bytes(xmp_packet("Darktable's way"))
    assert memory_of(tmp_path) == Memory("Darktable's way", "xmp")


@pytest.mark.parametrize("sidecar", ["A.XMP", "A.JPG.XMP", "A.JPG.JSON", "a.jpg.Json"])
def test_sidecars_in_any_case(tmp_path, sidecar):
    save(tmp_path / "A.jpg")
    if sidecar.endswith("XMP"):
        (tmp_path / sidecar).write_bytes(xmp_packet("Shouted"))
    else:
        takeout(tmp_path / sidecar, "Shouted")
    album = Album.from_folder(tmp_path)
    assert album.photos[0].memory.text == "Shouted"
    assert [outcome.item for outcome in album.outcomes] == ["A.jpg"]


def test_a_long_takeout_name_in_upper_case(tmp_path):
    save(tmp_path / f"{LONG}.jpg")
    takeout(tmp_path / f"{LONG[:46]}.json".upper(), "Shouted", title=f"{LONG}.JPG".upper())
    assert memory_of(tmp_path, f"{LONG}.jpg").text == "Shouted"


def test_photos_whose_names_differ_in_case_alone_keep_their_own_sidecars(tmp_path):
    for seed, name in enumerate(("A.JPG", "A.jpg", "a.jpg")):
        save(tmp_path / name, seed=seed)
    if len(list(tmp_path.iterdir())) < 3:
        pytest.skip("file names here are the same in upper and lower case")
    (tmp_path / "A.JPG.xmp").write_bytes(xmp_packet("of the first"))
    takeout(tmp_path / "a.jpg.json", "of the last")
    texts = [p.memory and p.memory.text for p in Album.from_folder(tmp_path).photos]
    assert texts == ["of the first", None, "of the last"]


@pytest.mark.parametrize("name", ["MEMORIES.CSV", "Memories.jsonl", "memories.JSONL"])
def test_memory_files_in_any_case(tmp_path, name):
    save(tmp_path / "a.jpg")
    if name.endswith("CSV"):
        (tmp_path / name).write_text("photo,text\na.jpg,Shouted\n")
    else:
        write_rows(tmp_path / name, {"photo": "a.jpg", "text": "Shouted"})
    assert memory_of(tmp_path).text == "Shouted"
