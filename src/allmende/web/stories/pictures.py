"""Pictures of stories: decoded and written anew, so that nothing stays of them but what is seen."""

import struct
import warnings
from io import BytesIO
from typing import NamedTuple

from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from allmende.domain.errors import InvalidInput

FORMATS = ("JPEG", "PNG", "WEBP")
"""Those that are read, by what a file begins with; its name says nothing."""
MIME = "image/webp"
LONGEST = 1600
"""Pixels of the longer side; larger ones are made smaller."""
_QUALITY = 80
_BROKEN = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, struct.error)
"""What Pillow says of files that are no picture, or are cut off or damaged."""


class Made(NamedTuple):
    """A picture as it is kept: WebP without metadata, upright."""

    body: bytes
    width: int
    height: int


def make(raw: bytes, *, megapixels: int) -> Made:
    """From a file that somebody sent. Raises InvalidInput for what is no picture, and for one with more pixels, which
    is known before they are decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is lower
            with Image.open(BytesIO(raw), formats=FORMATS) as image:
                _check_size(image, megapixels)
                image.draft("RGB", (LONGEST, LONGEST))  # JPEG can be read smaller
                upright = ImageOps.exif_transpose(image)
                mode = "RGBA" if upright.has_transparency_data else "RGB"
                plain = upright.convert(mode)
    except Image.DecompressionBombError:
        raise _too_large(megapixels) from None
    except _BROKEN:
        raise InvalidInput(
            _("This is no picture that can be read here: send JPEG, PNG or WebP."), where="file"
        ) from None
    plain.thumbnail((LONGEST, LONGEST))
    # a fresh one: what a camera wrote (place, day, device, preview) hangs on the other
    fresh = Image.new(mode, plain.size)
    fresh.paste(plain)
    out = BytesIO()
    fresh.save(out, "WEBP", quality=_QUALITY)
    return Made(out.getvalue(), *fresh.size)


def _check_size(image: Image.Image, megapixels: int) -> None:
    if image.width * image.height > megapixels * 1_000_000:
        raise _too_large(megapixels)
    if getattr(image, "n_frames", 1) > 1:
        raise InvalidInput(_("Pictures that move are not taken."), where="file")


def _too_large(megapixels: int) -> InvalidInput:
    return InvalidInput(_("The picture has more than %(most)d million pixels.") % {"most": megapixels}, where="file")
