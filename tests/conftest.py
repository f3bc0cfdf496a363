"""Settings for the whole suite."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.postgres import Cluster, NoPostgres, cluster

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server; where there is none the tests are skipped, except in CI."""
    try:
        with cluster() as started:
            yield started
    except NoPostgres as reason:
        missing(str(reason))


def missing(reason: str) -> None:
    """Skip a test for want of a part of the machine; where all parts have to be there, fail."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
