container = driver.get_container(BUCKET)
container.upload_object(SMALL, KEY)
container.upload_object(LARGE, LARGE_KEY)
for item in container.list_objects():
    listed(item.name)
container.get_object(KEY).download(f"{OUT}/small")
container.get_object(LARGE_KEY).download(f"{OUT}/large")
