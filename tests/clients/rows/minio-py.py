client.fput_object(bucket_name=BUCKET, object_name=KEY, file_path=SMALL)
client.fput_object(bucket_name=BUCKET, object_name=LARGE_KEY, file_path=LARGE, part_size=5 << 20)
for item in client.list_objects(bucket_name=BUCKET, recursive=True):
    listed(item.object_name)
client.fget_object(bucket_name=BUCKET, object_name=KEY, file_path=f"{OUT}/small")
client.fget_object(bucket_name=BUCKET, object_name=LARGE_KEY, file_path=f"{OUT}/large")
presigned(client.presigned_get_object(bucket_name=BUCKET, object_name=KEY))
