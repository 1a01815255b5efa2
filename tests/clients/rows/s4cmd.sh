s4cmd $options put "$SMALL" "s3://$BUCKET/$KEY"
s4cmd $options --multipart-split-size=5242880 --max-singlepart-upload-size=5242880 put "$LARGE" "s3://$BUCKET/$LARGE_KEY"
s4cmd $options get "s3://$BUCKET/$KEY" "$OUT/small"
s4cmd $options get "s3://$BUCKET/$LARGE_KEY" "$OUT/large"
