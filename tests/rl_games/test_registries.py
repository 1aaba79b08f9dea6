"""Builders by name: one's own first, then the shared ones, and no name twice."""

from __future__ import annotations

import pytest

from rl_pipeline.errors import InputError, UnknownNameError
from rl_pipeline.rl_games import ObjectFactory


def test_a_builder_gets_the_keyword_arguments() -> None:
    factory = ObjectFactory("algorithm")
    factory.register_builder("pair", lambda **kwargs: (kwargs["left"], kwargs["right"]))
    assert factory.create("pair", left=1, right=2) == (1, 2)


def test_names_that_a_factory_lacks_are_those_of_the_shared_one() -> None:
    shared = ObjectFactory("algorithm")
    shared.register_builder("theirs", lambda: "theirs")
    factory = ObjectFactory("algorithm", shared)
    factory.register_builder("mine", lambda: "mine")
    assert [factory.create(name) for name in factory.names] == ["mine", "theirs"]
    assert shared.names == ["theirs"]


def test_a_name_is_registered_once() -> None:
    factory = ObjectFactory("player")
    factory.register_builder("a2c_discrete", object)
    with pytest.raises(InputError, match="player 'a2c_discrete' is registered already"):
        factory.register_builder("a2c_discrete", object)


def test_a_factory_may_replace_a_shared_name_for_itself() -> None:
    shared = ObjectFactory("algorithm")
    shared.register_builder("a2c_continuous", lambda: "theirs")
    factory = ObjectFactory("algorithm", shared)
    factory.register_builder("a2c_continuous", lambda **kwargs: "mine")
    assert (factory.create("a2c_continuous"), shared.create("a2c_continuous")) == ("mine", "theirs")


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    factory = ObjectFactory("algorithm")
    factory.register_builder("a2c_discrete", object)
    with pytest.raises(UnknownNameError, match="unknown algorithm 'a2c_discret'; did you mean 'a2c_discrete'"):
        factory.create("a2c_discret")
