"""Hundreds of broken files: no crash, no hang, an outcome each."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
from collections import Counter

import pytest
from PIL import Image, features

# Run apart, so that a decoder that crashes or never ends is a failed test.
_READ = """
import json, sys
from pathlib import Path
from rememberai.errors import ImageError
from rememberai.photos import Album, open_image

album = Album.from_folder(sys.argv[1])
opened = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    tries = []
    for options in ({}, {"at_least": 16}, {"partial": True}):
        try:
            image = open_image(path, **options)
            image.load()
            tries.append(image.mode if min(image.size) > 0 else "empty")
        except ImageError as error:
            tries.append("ImageError" if str(error) else "silent")
    opened[path.name] = tries
outcomes = [(outcome.item, outcome.status, outcome.reason) for outcome in album.outcomes]
print(json.dumps({"outcomes": outcomes, "opened": opened}))
"""


def sound_files() -> dict[str, bytes]:
    """A small picture in every format that is installed, by file name."""
    image = Image.radial_gradient("L").resize((48, 40)).convert("RGB")
    image.paste((200, 30, 90), (0, 0, 20, 10))
    second = image.transpose(Image.Transpose.ROTATE_180)
    several = {"save_all": True, "append_images": [second]}
    exif = Image.Exif()
    exif.update({0x112: 6, 0x10E: "Words"})
    kinds = {
        "plain.jpg": (image, "JPEG", {"exif": exif}),
        "progressive.jpg": (image, "JPEG", {"progressive": True}),
        "press.jpg": (image.convert("CMYK"), "JPEG", {}),
        "several.jpg": (image, "MPO", several),
        "plain.png": (image, "PNG", {"exif": exif}),
        "deep.png": (image.convert("L").convert("I;16"), "PNG", {}),
        "palette.png": (image.convert("P"), "PNG", {"transparency": 3}),
        "several.png": (image, "PNG", several),
        "lossy.webp": (image, "WEBP", {"exif": exif}),
        "lossless.webp": (image, "WEBP", {"lossless": True}),
        "several.webp": (image, "WEBP", several),
        "plain.tif": (image, "TIFF", {"exif": exif}),
        "lzw.tif": (image, "TIFF", {"compression": "tiff_lzw"}),
        "jpeg.tif": (image, "TIFF", {"compression": "jpeg"}),
        "several.tif": (image, "TIFF", {**several, "compression": "tiff_deflate"}),
        "plain.gif": (image, "GIF", {}),
        "several.gif": (image, "GIF", several),
        "plain.bmp": (image, "BMP", {}),
    }
    if "avif" in features.modules and features.check("avif"):
        kinds["plain.avif"] = (image, "AVIF", {"exif": exif})
    try:
        import pillow_heif
    except ImportError:
        pass
    else:
        pillow_heif.register_heif_opener()
        kinds["plain.heic"] = (image, "HEIF", {"exif": exif})
    files = {}
    for name, (picture, form, options) in kinds.items():
        buffer = io.BytesIO()
        # Copies, since saving as JPEG leaves settings in a picture.
        options = options | {"append_images": [p.copy() for p in options.get("append_images", ())]}
        picture.copy().save(buffer, form, **options)
        files[name] = buffer.getvalue()
    return files


def broken(content: bytes, others: list[bytes], chance: random.Random) -> dict[str, bytes]:
    """Break a file in 20 ways."""
    size = len(content)
    found = {f"cut{cut}": content[: max(1, size * cut // 8)] for cut in range(8)}
    for number in range(8):
        flipped = bytearray(content)
        early = size if number % 2 else min(size, 64)  # half of them in what is read first
        for _ in range(chance.choice([1, 4, 40])):
            flipped[chance.randrange(early)] ^= 1 << chance.randrange(8)
        found[f"flip{number}"] = bytes(flipped)
    middle = size // 2
    found["hole"] = content[: size // 3] + bytes(size // 3) + content[2 * (size // 3) :]
    found["twice"] = content[:middle] + content
    found["head"] = content[:24] + chance.choice(others)[24:]
    found["noise"] = content[:16] + chance.randbytes(size)
    return found


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    folder = tmp_path_factory.mktemp("broken")
    sound = sound_files()
    chance = random.Random(5)
    for name, content in sound.items():
        stem, suffix = name.split(".")
        (folder / name).write_bytes(content)
        for kind, damaged in broken(content, list(sound.values()), chance).items():
            (folder / f"{stem}-{kind}.{suffix}").write_bytes(damaged)
        (folder / f"{stem}-{suffix}-wrong.{'png' if suffix == 'jpg' else 'jpg'}").write_bytes(
            content + b"1"
        )
    for suffix in ("jpg", "png", "webp", "tif", "gif", "bmp", "heic", "avif"):
        (folder / f"empty.{suffix}").touch()
        (folder / f"text.{suffix}").write_text("Dear diary, " * 20)
        (folder / f"video.{suffix}").write_bytes(b"\0\0\0\x20ftypisom" + chance.randbytes(300))
    done = subprocess.run(
        [sys.executable, "-c", _READ, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, sound, json.loads(done.stdout)


def test_every_file_has_one_outcome(read):
    folder, _, found = read
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) >= 300
    assert [item for item, _, _ in found["outcomes"]] == names
    assert {status for _, status, _ in found["outcomes"]} <= {"done", "failed", "skipped"}
    assert all(reason for _, status, reason in found["outcomes"] if status != "done")


def test_every_file_opens_as_rgb_or_says_why_not(read):
    _, _, found = read
    tries = Counter(result for results in found["opened"].values() for result in results)
    assert set(tries) == {"RGB", "ImageError"}
    for name, (whole, small, part) in found["opened"].items():
        if whole == "RGB":
            assert (name, small, part) == (name, "RGB", "RGB")


def test_sound_files_and_those_with_another_s_name_open(read):
    folder, sound, found = read
    wrong = [path.name for path in folder.glob("*-wrong.*")]
    assert len(wrong) == len(sound)
    for name in (*sound, *wrong):
        assert found["opened"][name] == ["RGB"] * 3, name
    outcomes = {item: (status, reason) for item, status, reason in found["outcomes"]}
    for name in sound:
        assert outcomes[name][0] in ("done", "skipped")  # one may be the same as a broken one
    for name in wrong:
        assert "but really a" in outcomes[name][1], name


def test_what_holds_no_picture_fails_and_says_so(read):
    folder, _, found = read
    outcomes = {item: (status, reason) for item, status, reason in found["outcomes"]}
    for kind, words in {"empty": "is empty", "text": "no readable", "video": "no readable"}.items():
        names = [path.name for path in folder.glob(f"{kind}.*")]
        assert len(names) == 8
        for name in names:
            assert outcomes[name][0] == "failed"
            assert words in outcomes[name][1]
