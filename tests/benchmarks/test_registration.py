"""Every registered benchmark can be imported and reports its progress."""

import inspect

import pytest

from rl_pipeline.benchmarks.registration import BENCHMARKS, COMPANIONS, EXCLUDED_FROM_ALL, WITHOUT_CHART


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_takes_keyword_arguments_with_defaults(name):
    parameters = inspect.signature(BENCHMARKS[name]).parameters
    assert "progress" in parameters
    assert all(parameter.default is not parameter.empty for parameter in parameters.values())


def test_lists_of_names_name_benchmarks():
    named = {
        *EXCLUDED_FROM_ALL,
        *WITHOUT_CHART,
        *COMPANIONS,
        *(name for names in COMPANIONS.values() for name in names),
    }
    assert named <= set(BENCHMARKS)
