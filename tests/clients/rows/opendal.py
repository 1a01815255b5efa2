operator = make_operator(BUCKET)
for path, key in ((SMALL, KEY), (LARGE, LARGE_KEY)):
    with open(path, "rb") as source:
        operator.write(key, source.read(), chunk=5 << 20)
for item in operator.list("", recursive=True):
    if not item.path.endswith("/"):
        listed(item.path)
for key, name in ((KEY, "small"), (LARGE_KEY, "large")):
    with open(f"{OUT}/{name}", "wb") as target:
        target.write(operator.read(key))
