aws s3 cp --no-progress "$SMALL" "s3://$BUCKET/$KEY"
aws s3 cp --no-progress "$LARGE" "s3://$BUCKET/$LARGE_KEY"
aws s3api list-objects-v2 --bucket "$BUCKET" --query 'Contents[].Key' --output text | tr '\t' '\n' | sed 's/^/listed /'
aws s3 cp --no-progress "s3://$BUCKET/$KEY" "$OUT/small"
aws s3 cp --no-progress "s3://$BUCKET/$LARGE_KEY" "$OUT/large"
echo "url $(aws s3 presign "s3://$BUCKET/$KEY")"
aws sts get-caller-identity --query Arn --output text | grep -qx 'arn:aws:iam::000000000000:root'
