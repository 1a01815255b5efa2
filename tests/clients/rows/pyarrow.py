import shutil

from pyarrow.fs import FileSelector, FileType

for path, key in ((SMALL, KEY), (LARGE, LARGE_KEY)):
    with open(path, "rb") as source, fs.open_output_stream(f"{BUCKET}/{key}") as target:
        shutil.copyfileobj(source, target)
for item in fs.get_file_info(FileSelector(BUCKET, recursive=True)):
    if item.type == FileType.File:
        listed(item.path.split("/", 1)[1])
for key, name in ((KEY, "small"), (LARGE_KEY, "large")):
    with fs.open_input_stream(f"{BUCKET}/{key}") as source, open(f"{OUT}/{name}", "wb") as target:
        shutil.copyfileobj(source, target)
