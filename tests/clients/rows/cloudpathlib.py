small, large = client.CloudPath(f"s3://{BUCKET}/{KEY}"), client.CloudPath(f"s3://{BUCKET}/{LARGE_KEY}")
small.upload_from(SMALL)
large.upload_from(LARGE)
for path in client.CloudPath(f"s3://{BUCKET}/").rglob("*"):
    if path.is_file():
        listed(path.key)
small.download_to(f"{OUT}/small")
large.download_to(f"{OUT}/large")
presigned(small.as_url(presign=True))
