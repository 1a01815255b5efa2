rclone copyto "$SMALL" "pail:$BUCKET/$KEY"
rclone copyto --s3-upload-cutoff 5M --s3-chunk-size 5M "$LARGE" "pail:$BUCKET/$LARGE_KEY"
rclone lsf -R --files-only "pail:$BUCKET" | sed 's/^/listed /'
rclone copyto "pail:$BUCKET/$KEY" "$OUT/small"
rclone copyto "pail:$BUCKET/$LARGE_KEY" "$OUT/large"
echo "url $(rclone link "pail:$BUCKET/$KEY")"
