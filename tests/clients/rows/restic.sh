restic -q init
restic -q backup "$SMALL" "$LARGE"
restic -q check --read-data
restic -q restore latest --target "$OUT/restored"
cp "$OUT/restored/$SMALL" "$OUT/small"
cp "$OUT/restored/$LARGE" "$OUT/large"
