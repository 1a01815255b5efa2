from datetime import timedelta

import obstore

store = make_store(BUCKET)
for path, key in ((SMALL, KEY), (LARGE, LARGE_KEY)):
    with open(path, "rb") as source:
        obstore.put(store, key, source)
for page in obstore.list(store):
    for item in page:
        listed(item["path"])
for key, name in ((KEY, "small"), (LARGE_KEY, "large")):
    with open(f"{OUT}/{name}", "wb") as target:
        target.write(obstore.get(store, key).bytes())
presigned(obstore.sign(store, "GET", KEY, timedelta(hours=1)))
