import shutil

import django
from django.core.files import File
from django.core.files.storage import default_storage

settings.STORAGES["default"]["OPTIONS"]["bucket_name"] = BUCKET
django.setup()
for path, key in ((SMALL, KEY), (LARGE, LARGE_KEY)):
    with open(path, "rb") as source:
        default_storage.save(key, File(source))
folders, files = default_storage.listdir("")
assert folders == ["folder"] and files == [LARGE_KEY]
for key, name in ((KEY, "small"), (LARGE_KEY, "large")):
    with default_storage.open(key) as source, open(f"{OUT}/{name}", "wb") as target:
        shutil.copyfileobj(source, target)
presigned(default_storage.url(KEY))
