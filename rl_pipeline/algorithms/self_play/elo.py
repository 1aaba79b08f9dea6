"""Elo ratings: how likely each of two is to win follows from the difference of their ratings.

A. E. Elo, The Rating of Chessplayers, Past and Present, 1978: 400 points are odds of 10 to 1.
"""

from __future__ import annotations

from typing import Final

STEP: Final = 8.0
"""Points that the result of one episode can move a rating by, at the most (K)."""


def expected_score(rating: float, opponent: float) -> float:
    """The mean result of the first against the second: 1 it always wins, 0 it always loses."""
    return float(1.0 / (1.0 + 10.0 ** ((opponent - rating) / 400.0)))


def points_won(rating: float, opponent: float, result: float) -> float:
    """What the first gains and the second loses by a result of 1 (the first has won), 0.5 or 0."""
    return STEP * (result - expected_score(rating, opponent))
