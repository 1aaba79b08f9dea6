"""Checks of the figures and charts of benchmarks, which are run in short."""

import json
import statistics

from PIL import Image

SHORT = {"seconds": 0.1, "repetitions": 2}


def check_figures(figures, bars):
    """Check that rows are full, values are JSON, and each name has a bar of two positive figures."""
    assert all(len(row) == len(figures.columns) for row in figures.rows)
    json.dumps(figures.values)
    assert [bar.name for bar in figures.bars] == bars
    assert all(len(bar.values) == 2 and statistics.median(bar.values) > 0 for bar in figures.bars)


def is_picture(path, least_width=600):
    with Image.open(path) as image:
        return image.width >= least_width and len(image.convert("L").getcolors(256) or range(256)) > 20
