db.sql(f"COPY (SELECT range AS n FROM range(2000000)) TO 's3://{BUCKET}/a b+c/n.parquet'")
assert db.sql(f"SELECT sum(n) FROM 's3://{BUCKET}/a b+c/*.parquet'").fetchone()[0] == 1999999000000
