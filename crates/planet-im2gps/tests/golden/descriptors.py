#!/usr/bin/env python3
"""Computes the descriptors of five photos independently, with numpy, scipy, scikit-image and OpenCV.

Writes `textons.f32` (a dictionary of 40 words of 32 numbers), `descriptors.f32` (five rows: tiny
image, colour, textons, lines, gist, layout) and `by_surface.f32` (five rows: colour and textons of the
four surfaces) beside itself, as little-endian 32-bit numbers. The
layout's classifier has the parameters of the crate; run this again where they change.
Needs numpy, scipy, scikit-image and opencv-python-headless. Usage: descriptors.py
"""

from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage
from skimage import color, measure, segmentation

HERE = Path(__file__).resolve().parent


def photos():
    """The photos that the test makes by the same formulas."""
    for number, (width, height) in enumerate([(96, 64), (64, 96), (128, 100), (200, 150), (48, 160)]):
        y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
        yield formula(number, x, y, c).astype(np.uint8)


def formula(number, x, y, c):
    if number == 0:
        return (2 * x + y + 50 * c) % 256
    if number == 1:
        mask = 0xFFFFFFFF
        h = (x * 374761393 + y * 668265263 + c * 2246822519) & mask
        h = ((h ^ (h >> 13)) * 1274126177) & mask
        return (h ^ (h >> 16)) & 255
    if number == 2:
        return np.where(abs(x - y) < 3, 250, (x // 16 + y // 20 + c) % 3 * 100 + 20)
    if number == 3:
        disc = np.choose(c, [200, 60, 30])
        ground = np.choose(c, [60, 140, 50])
        sky = np.choose(c, [90 + x // 2, 150, 220])
        inside = (x - 90) ** 2 + (y - 70) ** 2 < 1600
        return np.where(inside, disc, np.where(y > 100, ground, sky))
    return (x * x + y * y) // 60 % 256


def area(picture, height, width):
    """Area averages by differences of the integral, at either more or fewer pixels."""
    for axis, count in ((0, height), (1, width)):
        picture = np.moveaxis(np.asarray(picture, float), axis, 0)
        side = len(picture)
        integral = np.concatenate([np.zeros_like(picture[:1]), np.cumsum(picture, 0)])
        edges = np.linspace(0, side, count + 1)
        below = np.minimum(edges.astype(int), side - 1)
        part = (edges - below).reshape([-1] + [1] * (picture.ndim - 1))
        at_edges = integral[below] + part * picture[below]
        picture = np.moveaxis(np.diff(at_edges, axis=0) / (side / count), 0, axis)
    return picture


def tiny_image(photo):
    return area(photo, 16, 16).ravel() / 255


def colour(photo):
    lab = color.rgb2lab(photo).reshape(-1, 3)
    opponent = np.concatenate([[-np.inf], np.arange(-30, 31, 5), [np.inf]])
    edges = [np.array([-np.inf, 55, 70, 90, np.inf]), opponent, opponent]
    histogram, _ = np.histogramdd(lab, bins=edges)
    return histogram.ravel() / len(lab)


def luma(photo):
    red, green, blue = np.moveaxis(photo.astype(int), 2, 0)
    return ((4899 * red + 9617 * green + 1868 * blue + 8192) >> 14).astype(np.uint8)


def filters():
    for scale in (1, 2):
        for elongation in (2, 3):
            for orientation in range(8):
                reach = int(np.ceil(3 * scale * elongation))
                y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
                angle = np.pi * orientation / 8
                u = (x * np.cos(angle) + y * np.sin(angle)) / scale
                v = (y * np.cos(angle) - x * np.sin(angle)) / (scale * elongation)
                kernel = (u**2 - 1) * np.exp(-0.5 * (u**2 + v**2))
                kernel -= kernel.mean()
                yield kernel / abs(kernel).sum()


def responses(photo):
    grey = luma(photo) / 255
    bank = [ndimage.correlate(grey, kernel, mode="reflect")[::2, ::2] for kernel in filters()]
    return np.stack(bank, -1).reshape(-1, 32)


def textons(photo, words):
    squares = ((responses(photo)[:, None] - words[None]) ** 2).sum(-1)
    counts = np.bincount(squares.argmin(1), minlength=512)
    return counts / counts.sum()


def distinct(responses):
    """Words that are too far apart for a pixel to lie between them by chance."""
    words = []
    for response in responses:
        if all(np.hypot.reduce(response - word) > 0.03 for word in words):
            words.append(response)
    return np.array(words)


def lines(photo):
    grey = luma(photo)
    edges = cv2.Canny(grey, 100, 200, apertureSize=3, L2gradient=True) > 0
    border = cv2.BORDER_REPLICATE
    dx = cv2.Sobel(grey, cv2.CV_16S, 1, 0, borderType=border).astype(float)
    dy = cv2.Sobel(grey, cv2.CV_16S, 0, 1, borderType=border).astype(float)
    direction = np.floor(np.arctan2(dy, dx) / (2 * np.pi) * 16 + 0.5) % 16
    diagonal = np.hypot(*grey.shape)
    angles, lengths = np.zeros(16), np.zeros(8)
    for one in range(16):
        labels = measure.label(edges & (direction == one), connectivity=2)
        for region in measure.regionprops(labels):
            points = region.coords[:, ::-1].astype(float)
            if len(points) < 5:
                continue
            values, vectors = np.linalg.eigh(np.cov(points.T, bias=True))
            along = points @ vectors[:, 1]
            share = (along.max() - along.min()) / diagonal
            if max(values[0], 0) > 1 or share < 0.04:
                continue
            angle = np.arctan2(vectors[1, 1], vectors[0, 1]) % np.pi
            angles[int(np.floor(angle / np.pi * 16 + 0.5)) % 16] += share
            ends = [0.06, 0.09, 0.135, 0.2025, 0.304, 0.456, 0.683]
            lengths[np.searchsorted(ends, share, side="right")] += share
    return np.concatenate([angles, lengths])


def gist(photo):
    """After the authors' published LMgist.m, on a square of 128 pixels."""
    grey = area(photo, 128, 128).mean(2)
    grey = grey - grey.min()
    grey = 255 * grey / grey.max()
    # Whitening: log, high pass, local contrast.
    padded = np.pad(np.log(grey + 1), 5, mode="symmetric")
    n = len(padded)
    fy, fx = np.mgrid[-n // 2 : n // 2, -n // 2 : n // 2]
    low_pass = np.fft.fftshift(np.exp(-(fx**2 + fy**2) / (4 / np.sqrt(np.log(2))) ** 2))
    padded = padded - np.real(np.fft.ifft2(np.fft.fft2(padded) * low_pass))
    deviation = np.sqrt(abs(np.fft.ifft2(np.fft.fft2(padded**2) * low_pass)))
    white = (padded / (0.2 + deviation))[5:-5, 5:-5]
    # Gabor transfer functions.
    padded = np.pad(white, 16, mode="symmetric")
    n = len(padded)
    fy, fx = np.mgrid[-n // 2 : n // 2, -n // 2 : n // 2]
    radius = np.fft.fftshift(np.hypot(fx, fy))
    turn = np.fft.fftshift(np.arctan2(fy, fx))
    spectrum = np.fft.fft2(padded)
    edges = np.floor(np.linspace(0, 128, 6)).astype(int)
    result = []
    for scale in range(4):
        for orientation in range(6):
            tr = turn + np.pi / 6 * orientation
            tr = tr + 2 * np.pi * (tr < -np.pi) - 2 * np.pi * (tr > np.pi)
            gabor = np.exp(
                -10 * 0.35 * (radius / n / (0.3 / 1.85**scale) - 1) ** 2
                - 2 * (16 * 6**2 / 32**2) * np.pi * tr**2
            )
            response = abs(np.fft.ifft2(spectrum * gabor))[16:-16, 16:-16]
            for top, bottom in zip(edges, edges[1:]):
                for left, right in zip(edges, edges[1:]):
                    result.append(response[top:bottom, left:right].mean())
    colours = area(color.rgb2lab(photo), 5, 5).ravel() / 100
    return np.concatenate([result, colours])


def surfaces(photo):
    """Probabilities of ground, vertical, sky and porous surfaces of every pixel."""
    regions = segmentation.felzenszwalb(photo, scale=100, sigma=0.8, min_size=30)
    height, width = regions.shape
    lab = color.rgb2lab(photo) / 100
    light = lab[..., 0]
    right = np.pad(abs(np.diff(light, axis=1)), ((0, 0), (0, 1)))
    down = np.pad(abs(np.diff(light, axis=0)), ((0, 1), (0, 0)))
    y, x = np.mgrid[:height, :width]
    flat = (HERE / "../../src/surfaces/parameters.f32").resolve()
    flat = np.fromfile(flat, "<f4").astype(float)
    w1, b1, w2, b2 = np.split(flat, np.cumsum([24 * 20, 24, 4 * 24]))
    result = np.zeros((height, width, 4))
    for region in range(regions.max() + 1):
        inside = regions == region
        rows = np.flatnonzero(inside.any(1))
        place_x, place_y = (x[inside] + 0.5) / width, (y[inside] + 0.5) / height
        features = np.concatenate(
            [
                lab[inside].mean(0),
                lab[inside].std(0),
                [right[inside].mean(), down[inside].mean(), place_x.mean(), place_y.mean()],
                [rows[0] / height, (rows[-1] + 1) / height, np.sqrt(inside.mean())],
                [inside[0].mean(), inside[-1].mean(), place_x.std(), place_y.std()],
                lab[inside].mean(0) - lab.mean((0, 1)),
            ]
        )
        scores = w2.reshape(4, 24) @ np.tanh(w1.reshape(24, 20) @ features + b1) + b2
        powers = np.exp(scores - scores.max())
        result[inside] = powers / powers.sum()
    return result


def layout(photo):
    ground, vertical, sky, porous = np.moveaxis(surfaces(photo), 2, 0)
    return area(np.stack([ground, vertical + porous, sky], 2), 8, 8).ravel()


def by_surface(photo, words):
    """Histograms of colour and of textons, each pixel weighted by the surfaces' probabilities."""
    weights = surfaces(photo)
    lab = color.rgb2lab(photo).reshape(-1, 3)
    opponent = np.arange(-30, 31, 5)
    bins = np.searchsorted([55, 70, 90], lab[:, 0], side="right")
    for axis in (1, 2):
        bins = bins * 14 + np.searchsorted(opponent, lab[:, axis], side="right")
    squares = ((responses(photo)[:, None] - words[None]) ** 2).sum(-1)
    result = []
    for bins, weights, count in [(bins, weights, 784), (squares.argmin(1), weights[::2, ::2], 512)]:
        weights = weights.reshape(-1, 4)
        for surface in range(4):
            sums = np.bincount(bins, weights[:, surface], minlength=count)
            result.append(sums / len(weights))
    return np.concatenate(result)


def main():
    everything = list(photos())
    words = distinct(np.concatenate([responses(photo)[7::47] for photo in everything]))[:40]
    words = words.astype("<f4")
    words.tofile(HERE / "textons.f32")
    rows = [
        np.concatenate([tiny_image(p), colour(p), textons(p, words), lines(p), gist(p), layout(p)])
        for p in everything
    ]
    np.array(rows, "<f4").tofile(HERE / "descriptors.f32")
    rows = [by_surface(photo, words) for photo in everything]
    np.array(rows, "<f4").tofile(HERE / "by_surface.f32")


if __name__ == "__main__":
    main()
