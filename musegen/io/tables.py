"""Tables as files: CSV, which everything reads, and Parquet, which knows what kind its columns are."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from musegen.errors import OptionError

__all__ = ["FORMATS", "check_format", "csv_table", "parquet_table", "table_bytes"]

Rows = Sequence[Mapping[str, float | str]]
COMPRESSION = "zstd(3)"


def csv_table(columns: Mapping[str, type[float | str]], rows: Rows) -> bytes:
    """A table as CSV with a line of names; a cell that is missing is empty.

    Args:
        columns: names in order, and whether they hold numbers or texts.
        rows: cells by name.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def parquet_table(columns: Mapping[str, type[float | str]], rows: Rows) -> bytes:
    """A table as Parquet, numbers as doubles and texts as UTF-8; an empty number is null.

    Args:
        columns: names in order, and whether they hold numbers or texts.
        rows: cells by name.

    Raises:
        ImportError: the libraries of the extra are not installed; `check_format` asks first.
    """
    from arro3.core import Array, DataType, Table
    from arro3.io import write_parquet

    kinds = {float: DataType.float64(), str: DataType.utf8()}
    arrays = [
        Array([_cell(row.get(name, ""), kind) for row in rows], kinds[kind])
        for name, kind in columns.items()
    ]
    table = Table.from_arrays(arrays, names=list(columns))
    file = io.BytesIO()
    write_parquet(table, file, compression=COMPRESSION)
    return file.getvalue()


def _cell(value: float | str, kind: type[float | str]) -> float | str | None:
    return None if kind is float and value == "" else value


FORMATS: Mapping[str, Callable[[Mapping[str, type[float | str]], Rows], bytes]] = {
    ".csv": csv_table,
    ".parquet": parquet_table,
}


def check_format(path: Path, option: str) -> None:
    """Refuse a table early that could not be written in the format of its name.

    Raises:
        OptionError: another ending than those of `FORMATS`, or one whose library is missing.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise OptionError(option, str(path), f"a name that ends in {' or '.join(FORMATS)}")
    if suffix == ".parquet" and not _has_parquet():
        allowed = "a name that ends in .csv; for .parquet install musegen[parquet]"
        raise OptionError(option, str(path), allowed)


def _has_parquet() -> bool:
    try:
        import arro3.core
        import arro3.io  # noqa: F401
    except ImportError:
        return False
    return True


def table_bytes(path: Path, columns: Mapping[str, type[float | str]], rows: Rows) -> bytes:
    """A table in the format that the name of its file asks for; raises KeyError for any other."""
    return FORMATS[path.suffix.lower()](columns, rows)
