fs.put(SMALL, f"{BUCKET}/{KEY}")
fs.put(LARGE, f"{BUCKET}/{LARGE_KEY}", chunksize=5 << 20)
for name in fs.find(BUCKET):
    listed(name.split("/", 1)[1])
fs.get(f"{BUCKET}/{KEY}", f"{OUT}/small")
fs.get(f"{BUCKET}/{LARGE_KEY}", f"{OUT}/large")
presigned(fs.sign(f"{BUCKET}/{KEY}"))
