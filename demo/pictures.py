"""Pictures to try things on, painted here so that no file of anybody else is shipped."""

from io import BytesIO

from PIL import Image

from apps.jobs.runners import sample


def landscape(seed: int = 7) -> bytes:
    """Paint hills under an evening sky; the same PNG for the same seed."""
    return _png(sample.landscape(seed))


def blank() -> bytes:
    """Return a sheet of one colour: a picture that no style can do anything with."""
    return _png(Image.new("RGB", (480, 320), (238, 238, 238)))


def _png(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()
