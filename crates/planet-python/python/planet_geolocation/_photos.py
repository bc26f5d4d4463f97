"""Photos of every kind that Python has, as the extension module takes them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ._native import GivenPhoto

#: A path, the bytes of a photo's file, a PIL image, an array `[height, width]` (grey),
#: `[height, width, 1]`, `[height, width, 3]` (RGB) or `[height, width, 4]` (RGBA) of uint8 or of
#: floats within 0..=1, or anything with `__dlpack__` of such a shape.
Photo: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | Any"


def given(photo: Photo) -> GivenPhoto:
    """A photo for the extension module. Raises TypeError or ValueError for what is none."""
    if isinstance(photo, str | bytes):
        return photo
    if isinstance(photo, os.PathLike):
        return os.fspath(photo)
    if isinstance(photo, bytearray | memoryview):
        return bytes(photo)
    if photo is None:
        raise TypeError("the photo is missing (None)")
    if hasattr(photo, "getexif") and hasattr(photo, "convert"):
        return _of_image(photo)
    return _of_array(_array(photo))


def given_or_reason(photo: Photo) -> GivenPhoto:
    """The same, with what is wrong instead of an exception."""
    try:
        return given(photo)
    except (TypeError, ValueError, OSError) as error:
        return (str(error),)


def _of_image(image: Any) -> NDArray[np.uint8]:
    """Pixels of a PIL image, upright, on white where it is transparent."""
    import numpy as np
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        return _on_white(np.asarray(upright.convert("RGBA")))
    return np.ascontiguousarray(upright.convert("RGB"), dtype=np.uint8)


def _array(photo: Any) -> NDArray[Any]:
    import numpy as np

    if isinstance(photo, np.ndarray):
        return photo
    if hasattr(photo, "__dlpack__"):
        return np.from_dlpack(photo)
    if hasattr(photo, "__array__") or hasattr(photo, "__array_interface__"):
        return np.asarray(photo)
    raise TypeError(
        f"{type(photo).__name__} is not a photo; give a path, bytes, a PIL image or an array"
    )


def _of_array(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    import numpy as np

    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4):
        raise ValueError(
            f"an array of shape {pixels.shape} is not a photo; it must be [height, width], or "
            "[height, width, channels] with 1, 3 or 4 channels"
        )
    if 0 in pixels.shape:
        raise ValueError(f"an array of shape {pixels.shape} has no pixels")
    values = _of_bytes(pixels)
    if values.shape[2] == 1:
        values = np.repeat(values, 3, axis=2)
    if values.shape[2] == 4:
        return _on_white(values)
    return np.ascontiguousarray(values)


def _of_bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Values 0..=255, from uint8 or from floats within 0..=1."""
    import numpy as np

    if pixels.dtype == np.uint8:
        return pixels
    if np.issubdtype(pixels.dtype, np.floating):
        # NaN fails this comparison too.
        if not (pixels.min() >= 0.0 and pixels.max() <= 1.0):
            raise ValueError("a photo of floats must have values within 0..=1; divide by 255")
        return np.rint(pixels * 255.0).astype(np.uint8)
    raise TypeError(
        f"an array of {pixels.dtype} is not a photo; it must be of uint8, or of floats within 0..=1"
    )


def _on_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Transparent parts become white, as when a file is read."""
    import numpy as np

    colour, alpha = pixels[:, :, :3].astype(np.uint32), pixels[:, :, 3:].astype(np.uint32)
    blended = (colour * alpha + 255 * (255 - alpha) + 127) // 255
    return np.ascontiguousarray(blended, dtype=np.uint8)
