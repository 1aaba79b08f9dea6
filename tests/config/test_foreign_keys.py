from __future__ import annotations

from rl_pipeline.config.foreign_keys import FOREIGN_KEYS
from rl_pipeline.config.keys import Kind, canonical, kind


def test_each_key_that_errors_suggest_exists() -> None:
    unknown = [key for key in FOREIGN_KEYS.values() if kind(canonical(tuple(key.split(".")))) is Kind.UNKNOWN]
    assert not unknown
