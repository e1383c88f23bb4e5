"""The facts tables' declarations hang together, and are what the documentation says."""

from pathlib import Path

import pyarrow as pa
import pytest

from affidavit.tables import TABLES, Kind, Table, arrow_schema, tables_markdown

DOCS = Path(__file__).resolve().parents[1] / "docs" / "tables.md"
every = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


@every
def test_names_are_unique_and_known_where_they_are_used(table: Table) -> None:
    assert len(set(table.names)) == len(table.names)
    assert set(table.identity) <= set(table.names)
    assert set(table.shown) <= set(table.names)
    assert table.column("no such") is None
    assert "collection" in table.names


@every
def test_the_arrow_schema_follows_the_kinds(table: Table) -> None:
    schema = arrow_schema(table.name)
    assert schema.names == table.names
    for column in table.columns:
        kind = schema.field(column.name).type
        if column.kind is Kind.TIME:
            assert kind == pa.timestamp("us")  # no zone, UTC
        elif column.kind is Kind.TEXTS:
            assert kind == pa.list_(pa.string())
        elif column.kind is Kind.BOOLEAN:
            assert kind == pa.bool_()
        else:
            assert kind in (pa.string(), pa.int64())
    assert all(column.kind is Kind.TIME for column in table.columns if column.event)


@every
def test_each_column_is_explained(table: Table) -> None:
    for column in table.columns:
        assert column.text.strip(), column.name
        assert "|" not in column.text


def test_the_design_lists_no_column_that_is_not_there() -> None:
    wanted = {
        "certificates": "sha256 kind serial serial_octets issuer issuer_cn subject subject_cn not_before not_after "
        "validity_seconds signature_algorithm signature_hash key_type key_bits spki_sha256 dns_names ip_addresses "
        "policy_oids validation is_ca path_length key_usage extended_key_usage subject_key_id authority_key_id "
        "precert_tbs_sha256 sct_count earliest_sct latest_sct authentic issued_by collection file position copies",
        "scts": "certificate log_id log timestamp signature",
        "revocations": "issuer issuer_spki_sha256 serial revoked_at reason source this_update next_update authentic",
        "problems": "file position reason",
    }
    for name, columns in wanted.items():
        assert set(columns.split()) <= set(TABLES[name].names)


def test_the_documentation_is_that_of_the_code() -> None:
    assert DOCS.read_text("utf-8") == tables_markdown()
