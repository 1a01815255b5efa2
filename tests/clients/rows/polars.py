import polars

frame = polars.DataFrame({"n": range(1_000_000)})
frame.write_parquet(f"s3://{BUCKET}/a b+c/n.parquet", storage_options=storage_options)
back = polars.scan_parquet(f"s3://{BUCKET}/a b+c/*.parquet", storage_options=storage_options)
assert back.filter(polars.col("n") >= 999_990).collect()["n"].to_list() == list(range(999_990, 1_000_000))
