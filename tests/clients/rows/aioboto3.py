import asyncio


async def main():
    async with session.client("s3") as s3:
        await s3.upload_file(SMALL, BUCKET, KEY)
        await s3.upload_file(LARGE, BUCKET, LARGE_KEY)
        for item in (await s3.list_objects_v2(Bucket=BUCKET))["Contents"]:
            listed(item["Key"])
        await s3.download_file(BUCKET, KEY, f"{OUT}/small")
        await s3.download_file(BUCKET, LARGE_KEY, f"{OUT}/large")
        presigned(await s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": KEY}))


asyncio.run(main())
