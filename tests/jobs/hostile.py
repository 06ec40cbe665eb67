"""Files that lie, break off or hide something: for tests and for the fuzz of uploads."""

import random
import struct
import zlib
from functools import cache
from io import BytesIO

from PIL import Image, PngImagePlugin

SECRET = b"zz-where-it-was-taken-zz"  # stands in whatever metadata a format has
SIZE = (48, 32)  # pixels
NAMES = (
    "../../etc/passwd",
    "C:\\pictures\\holiday.png",
    "a\x00b\x1f\u202egnp.exe",
    "line\r\nSet-Cookie: a=b",
    '"; filename="other.html',
    "n" * 5000,
    ".",
    "..",
    "",
    "bild\udcff.png",
    "😀" * 300,
)


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG."""
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def png(width: int, height: int, *, pixels: bytes = b"\0" * 1000, before: bytes = b"") -> bytes:
    """Return a PNG that says it is so large, whatever its pixels are."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(pixels, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + data + chunk(b"IEND", b"")


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    """Return the picture as a file."""
    file = BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def coloured(mode: str = "RGB") -> Image.Image:
    """Return a picture of many colours."""
    picture = Image.new("RGB", SIZE)
    picture.putdata([(x * 3 % 256, x * 7 % 256, x % 256) for x in range(SIZE[0] * SIZE[1])])
    return picture.convert(mode)


def exif(orientation: int = 1) -> bytes:
    """Return EXIF with a secret in it."""
    made = Image.Exif()
    made[0x0112], made[0x010F] = orientation, SECRET.decode()
    return made.tobytes()


@cache
def telling() -> dict[str, bytes]:
    """Return pictures whose metadata tell a secret, each in another place."""
    picture, frames = coloured(), [coloured().rotate(180), coloured()]
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    packed = PngImagePlugin.PngInfo()
    packed.add_text("Comment", SECRET.decode() * 50, zip=True)
    unicode = PngImagePlugin.PngInfo()
    unicode.add_itxt("XML:com.adobe.xmp", f"<x>{SECRET.decode()}</x>")
    profile, xmp = b"\0" * 128 + SECRET, b"<x>" + SECRET + b"</x>"
    return {
        "jpeg exif": saved(picture, "JPEG", exif=exif()),
        "jpeg comment": saved(picture, "JPEG", comment=SECRET),
        "jpeg profile": saved(picture, "JPEG", icc_profile=profile),
        "jpeg xmp": saved(picture, "JPEG", xmp=xmp),
        "jpeg with another behind it": saved(
            picture, "MPO", save_all=True, append_images=[frames[0]], exif=exif()
        ),
        "jpeg with something behind it": saved(picture, "JPEG") + SECRET,
        "png exif": saved(picture, "PNG", exif=exif()),
        "png text": saved(picture, "PNG", pnginfo=text),
        "png packed text": saved(picture, "PNG", pnginfo=packed),
        "png xmp": saved(picture, "PNG", pnginfo=unicode),
        "png profile": saved(picture, "PNG", icc_profile=profile),
        "png frames": saved(picture, "PNG", save_all=True, append_images=frames, exif=exif()),
        "png with something behind it": saved(picture, "PNG") + SECRET,
        "webp exif": saved(picture, "WEBP", exif=exif()),
        "webp profile": saved(picture, "WEBP", icc_profile=profile),
        "webp xmp": saved(picture, "WEBP", xmp=xmp),
        "webp frames": saved(picture, "WEBP", save_all=True, append_images=frames, exif=exif()),
    }


@cache
def plain() -> dict[str, bytes]:
    """Return pictures of every kind of pixel that the formats know."""
    modes = {"PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), "JPEG": ("L", "RGB", "CMYK")}
    made = {
        f"{kind} {mode}": saved(coloured(mode), kind)
        for kind, all_ in modes.items()
        for mode in all_
    }
    made["PNG clear palette"] = saved(coloured("P"), "PNG", transparency=3)
    made["PNG clear colour"] = saved(coloured(), "PNG", transparency=(0, 0, 0))
    made["JPEG progressive"] = saved(coloured(), "JPEG", progressive=True)
    made["WEBP lossless"] = saved(coloured("RGBA"), "WEBP", lossless=True)
    for orientation in (0, 2, 5, 6, 8, 9, 65_535):
        turned = saved(coloured(), "JPEG", exif=exif(orientation))
        made[f"JPEG turned {orientation}"] = turned
    return made


@cache
def lying() -> dict[str, bytes]:
    """Return files that must be refused, because they are no picture, or too large to unpack."""
    side = 50_000
    many = chunk(b"tEXt", b"a\0" + b"b" * 60_000) * 100
    return {
        "no pixels": png(0, 0),
        "no height": png(64, 0),
        "many pixels": png(40_001, 1_000),
        "very many pixels": png(side, side),
        "most pixels": png(2**31 - 1, 2**31 - 1),
        "one line too long": png(2**31 - 1, 1),
        "few of its pixels": png(64, 64, pixels=b"\0" * 10),
        "bomb": png(8_000, 8_000, pixels=b"\0" * 3_000_000),
        "packed text bomb": png(
            8, 8, before=chunk(b"zTXt", b"a\0\0" + zlib.compress(b"b" * 70_000_000, 9)), pixels=b""
        ),
        "much text and no pixels": png(8, 8, before=many, pixels=b""),
        "nothing": b"",
        "zeros": b"\0" * 4096,
        "text": b"hello",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "html": b"<html><script>alert(1)</script></html>",
        "gif": saved(coloured("P"), "GIF"),
        "bmp": saved(coloured(), "BMP"),
        "tiff": saved(coloured(), "TIFF"),
        "pdf": saved(coloured(), "PDF"),
        "zip": b"PK\x03\x04" + b"\0" * 100,
        "signature alone": b"\x89PNG\r\n\x1a\n",
        "jpeg signature alone": b"\xff\xd8\xff\xe0",
        "webp signature alone": b"RIFF\x10\0\0\0WEBPVP8 ",
    }


def damaged(content: bytes, by: random.Random) -> bytes:
    """Return the file with some of its bytes changed, moved, left out or put in."""
    made = bytearray(content)
    for _ in range(by.choice((1, 1, 2, 4, 16))):
        place = by.randrange(max(1, len(made)))
        match by.randrange(5):
            case 0:
                made[place : place + 1] = bytes([by.randrange(256)])
            case 1:
                made[place : place + 4] = by.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"))
            case 2:
                del made[place : place + by.randrange(1, 40)]
            case 3:
                made[place:place] = by.randbytes(by.randrange(1, 40))
            case _:
                made[place : place + 20] = made[-20:]
    return bytes(made)
