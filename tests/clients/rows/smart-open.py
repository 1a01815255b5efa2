import shutil

import smart_open

for path, key in ((SMALL, KEY), (LARGE, LARGE_KEY)):
    with open(path, "rb") as source, smart_open.open(f"s3://{BUCKET}/{key}", "wb", transport_params=params) as target:
        shutil.copyfileobj(source, target)
for key, name in ((KEY, "small"), (LARGE_KEY, "large")):
    with smart_open.open(f"s3://{BUCKET}/{key}", "rb", transport_params=params) as source, \
            open(f"{OUT}/{name}", "wb") as target:  # fmt: skip
        shutil.copyfileobj(source, target)
