import doctest
import importlib
import pkgutil

import pytest

import assignment

MODULES = [f"assignment.{module.name}" for module in pkgutil.iter_modules(assignment.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_a_module_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
