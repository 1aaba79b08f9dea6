import pytest

from rl_pipeline.plurals import plural


@pytest.mark.parametrize(("count", "text"), [(0, "0 players"), (1, "1 player"), (2, "2 players")])
def test_noun_follows_its_count(count, text):
    assert f"{count} {plural(count, 'player')}" == text
