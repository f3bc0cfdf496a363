import pytest
import sqlglot

from tests.experiments.observe.engines.snapshots import DIALECTS, path_of, text_for


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_warehouse_is_sent_the_statement_that_was_read_and_found_good(dialect: str) -> None:
    assert text_for(dialect) == path_of(dialect).read_text()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_sent_is_in_the_language_of_its_warehouse(dialect: str) -> None:
    text = text_for(dialect).partition("\nSETTINGS")[0]
    again = sqlglot.parse_one(text, read=dialect)
    assert "QUANTILE_CONT" not in text.upper()
    assert again.sql(dialect=dialect, pretty=True).strip() == text.strip()
