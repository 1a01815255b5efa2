s3.upload_file(SMALL, BUCKET, KEY)
s3.upload_file(LARGE, BUCKET, LARGE_KEY)
for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
    for item in page["Contents"]:
        listed(item["Key"])
s3.download_file(BUCKET, KEY, f"{OUT}/small")
s3.download_file(BUCKET, LARGE_KEY, f"{OUT}/large")
presigned(s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": KEY}))
