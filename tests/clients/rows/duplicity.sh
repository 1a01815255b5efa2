mkdir source && cp "$SMALL" source/small && cp "$LARGE" source/large
duplicity full --no-encryption --volsize 6 source "$target" >/dev/null
duplicity restore --no-encryption "$target" "$OUT/restored" >/dev/null
mv "$OUT/restored/small" "$OUT/restored/large" "$OUT"
