"""Says as JSON what pyarrow finds in a Parquet file: its columns and their types, and the values that are asked for."""

import json
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

path = sys.argv[1]
file = pq.ParquetFile(path)
table = file.read()
# Times as text: Python's own have no nanoseconds.
shown = pa.table({
    name: table[name].cast(pa.string()) if pa.types.is_timestamp(kind) else table[name]
    for name, kind in zip(table.schema.names, table.schema.types)
})
first = shown.slice(0, 3).to_pylist()
encodings = {
    column.path_in_schema: list(column.encodings)
    for column in (file.metadata.row_group(0).column(at) for at in range(file.metadata.num_columns))
} if file.metadata.num_row_groups else {}
numbers = {
    name: pc.sum(table[name]).as_py()
    for name, kind in zip(table.schema.names, table.schema.types)
    if str(kind) in ("double", "int64")
}
json.dump(
    {
        "rows": table.num_rows,
        "row_groups": file.metadata.num_row_groups,
        "types": {name: str(kind) for name, kind in zip(table.schema.names, table.schema.types)},
        "encodings": encodings,
        "nulls": {name: table[name].null_count for name in table.schema.names},
        "sums": numbers,
        "first": first,
        "messages": sorted(table["message"].to_pylist()) if "message" in table.schema.names else [],
    },
    sys.stdout,
    default=str,
)
