"""Small picture files made on the spot, with the metadata that a test asks for."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image
from PIL.ExifTags import IFD
from PIL.PngImagePlugin import PngInfo


def exif_bytes(main=None, photo=None, gps=None) -> bytes:
    exif = Image.Exif()
    exif.update(main or {})
    if photo:
        exif[IFD.Exif] = photo
    if gps:
        exif[IFD.GPSInfo] = gps
    return exif.tobytes()


def xmp_packet(description: str = "", **attributes: str) -> bytes:
    alt = (
        f"<dc:description><rdf:Alt><rdf:li xml:lang='de'>anders</rdf:li>"
        f"<rdf:li xml:lang='x-default'>{description}</rdf:li></rdf:Alt></dc:description>"
        if description
        else ""
    )
    names = " ".join(f'{key.replace("_", ":")}="{value}"' for key, value in attributes.items())
    return (
        "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>"
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'>"
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        "<rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/'"
        " xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:xmp='http://ns.adobe.com/xap/1.0/'"
        f" xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' {names}>{alt}"
        "</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    ).encode()


def iptc_segment(*captions: bytes) -> bytes:
    """An APP13 segment with each caption as IPTC data set 2:120."""
    data = b"".join(b"\x1c\x02\x78" + len(c).to_bytes(2, "big") + c for c in captions)
    block = b"8BIM\x04\x04\x00\x00" + len(data).to_bytes(4, "big") + data + b"\0" * (len(data) % 2)
    payload = b"Photoshop 3.0\x00" + block
    return b"\xff\xed" + (len(payload) + 2).to_bytes(2, "big") + payload


def save(
    path: Path, *, seed: int = 0, size=(64, 48), xmp=None, iptc=None, form=None, **tags
) -> Path:
    """Write a picture; another seed gives another picture."""
    image = Image.radial_gradient("L").resize(size).convert("RGB")
    image.paste((seed * 40 % 256, 200, 77), (0, 0, 16, 16))
    options = {"exif": exif_bytes(**tags)} if tags else {}
    if xmp is not None and path.suffix == ".png":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode())
    elif xmp is not None:
        options["xmp"] = xmp
    if iptc is not None:
        options["extra"] = iptc_segment(*([iptc] if isinstance(iptc, bytes) else iptc))
    path.parent.mkdir(parents=True, exist_ok=True)
    form = form or {".jpg": "JPEG", ".tif": "TIFF", ".heic": "HEIF"}.get(
        path.suffix.lower(), path.suffix[1:].upper()
    )
    image.save(path, form, quality=97, **options)
    return path


def takeout(path: Path, description: str = "", **fields) -> Path:
    path.write_text(json.dumps({"description": description, **fields}), encoding="utf-8")
    return path


def outcome_of(album, item: str):
    (found,) = [outcome for outcome in album.outcomes if outcome.item == item]
    return found


def photo_of(album, name: str):
    (found,) = [photo for photo in album.photos if photo.name == name]
    return found
