put "$SMALL" "$BUCKET/$URL_KEY"
put "$LARGE" "$BUCKET/$LARGE_KEY"
get "$BUCKET?list-type=2" | grep -o '<Key>[^<]*' | sed 's/<Key>/listed /'
get "$BUCKET/$URL_KEY" >"$OUT/small"
get "$BUCKET/$LARGE_KEY" >"$OUT/large"
