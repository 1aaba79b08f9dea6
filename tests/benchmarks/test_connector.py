"""The connector benchmark: rates with the traffic of Unity's connector. Speed is not judged here."""

from rl_pipeline.benchmarks.connector import measure_connector
from tests.support.benchmarks import SHORT, check_figures


def test_players_with_the_connectors_traffic_are_judged_by_their_rates():
    figures = measure_connector(players=2, **SHORT)
    polls = [(count, poll) for poll in (10, 1) for count in ("1 player", "2 players")]
    check_figures(figures, [f"{count}, polling every {poll} ms" for count, poll in polls])
    alone = [case for case in figures.values["cases"] if case["players"] == 1]
    assert max(rate for case in alone for rate in case["plain_rates"]) < 1 / 0.04, "acknowledgements are not delayed"
