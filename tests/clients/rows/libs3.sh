s3 -us put "$BUCKET/$KEY" filename="$SMALL" >/dev/null
s3 -us put "$BUCKET/$LARGE_KEY" filename="$LARGE" >/dev/null
s3 -us get "$BUCKET/$KEY" filename="$OUT/small" >/dev/null
s3 -us get "$BUCKET/$LARGE_KEY" filename="$OUT/large" >/dev/null
