import deltalake
import pyarrow

table = f"s3://{BUCKET}/table"
for start in (0, 1000):
    deltalake.write_deltalake(table, pyarrow.table({"n": range(start, start + 1000)}), mode="append",
                              storage_options=storage_options)  # fmt: skip
found = deltalake.DeltaTable(table, storage_options=storage_options)
assert found.version() == 1
assert sorted(found.to_pyarrow_table()["n"].to_pylist()) == list(range(2000))
# Its threads may abort the interpreter on the way out (seen with 1.x): all is said and checked by now.
os._exit(0)
