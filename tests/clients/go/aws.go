// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func awsClient() *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(os.Getenv("ENDPOINT")),
		Region:       "us-east-1",
		UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(
			os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
		RetryMaxAttempts: 1,
	})
}

func awsPut(ctx context.Context, client *s3.Client, bucket, key, body string) *s3.PutObjectOutput {
	answer, err := client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &bucket, Key: &key, Body: strings.NewReader(body)})
	must(err)
	return answer
}

func awsGet(ctx context.Context, client *s3.Client, input *s3.GetObjectInput) string {
	answer, err := client.GetObject(ctx, input)
	must(err)
	return string(readAll(answer.Body))
}

func init() {
	checks["aws_put_get_and_head"] = func(ctx context.Context, bucket, _ string) {
		client, key := awsClient(), "a b+c/ü"
		_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("data"),
			ContentType: aws.String("text/x"), Metadata: map[string]string{"a": "b"}})
		must(err)
		equal(awsGet(ctx, client, &s3.GetObjectInput{Bucket: &bucket, Key: &key}), "data")
		head, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
		must(err)
		equal(*head.ContentType, "text/x")
		equal(head.Metadata["a"], "b")
		awsPut(ctx, client, bucket, "empty", "")
		equal(awsGet(ctx, client, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("empty")}), "")
	}

	checks["aws_upload_20_mib_and_download"] = func(ctx context.Context, bucket, file string) {
		client, key := awsClient(), "large"
		opened, err := os.Open(file)
		must(err)
		_, err = manager.NewUploader(client).Upload(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: opened})
		must(err)
		want := readFile(file)
		buffer := manager.NewWriteAtBuffer(nil)
		_, err = manager.NewDownloader(client).Download(ctx, buffer, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
		must(err)
		sameBytes(buffer.Bytes(), want)
		part := awsGet(ctx, client, &s3.GetObjectInput{Bucket: &bucket, Key: &key, Range: aws.String("bytes=5242870-5242890")})
		sameBytes([]byte(part), want[5242870:5242891])
	}

	checks["aws_stream_of_unknown_length"] = func(ctx context.Context, bucket, file string) {
		client, key, want := awsClient(), "stream", readFile(file)[:7<<20]
		_, err := manager.NewUploader(client).Upload(ctx, &s3.PutObjectInput{
			Bucket: &bucket, Key: &key, Body: onlyReader{bytes.NewReader(want)}})
		must(err)
		sameBytes([]byte(awsGet(ctx, client, &s3.GetObjectInput{Bucket: &bucket, Key: &key})), want)
		if strings.HasPrefix(os.Getenv("ENDPOINT"), "https:") { // a trailer upload; over http the SDK refuses it itself
			length := int64(100_000)
			_, err = client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key,
				Body: onlyReader{bytes.NewReader(want[:length])}, ContentLength: &length, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c})
			must(err)
			sameBytes([]byte(awsGet(ctx, client, &s3.GetObjectInput{Bucket: &bucket, Key: &key})), want[:length])
		}
	}

	checks["aws_checksum_algorithms"] = func(ctx context.Context, bucket, file string) {
		client, want := awsClient(), readFile(file)[:100_000]
		for _, algorithm := range []types.ChecksumAlgorithm{types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c,
			types.ChecksumAlgorithmCrc64nvme, types.ChecksumAlgorithmSha1, types.ChecksumAlgorithmSha256} {
			key := string(algorithm)
			_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(want), ChecksumAlgorithm: algorithm})
			must(err)
			answer, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
			must(err)
			sameBytes(readAll(answer.Body), want) // the SDK compares while reading
		}
	}

	checks["aws_list_2500_keys"] = func(ctx context.Context, bucket, _ string) {
		pages := s3.NewListObjectsV2Paginator(awsClient(), &s3.ListObjectsV2Input{Bucket: &bucket})
		var keys []string
		number := 0
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			must(err)
			for _, item := range page.Contents {
				keys = append(keys, *item.Key)
			}
			number++
		}
		equal(len(keys), 2500)
		equal(number, 3)
		equal(keysDigest(keys), os.Getenv("KEYS_DIGEST"))
	}

	checks["aws_copy_tag_and_delete"] = func(ctx context.Context, bucket, _ string) {
		client := awsClient()
		awsPut(ctx, client, bucket, "k", "data")
		_, err := client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &bucket, Key: aws.String("copy"), CopySource: aws.String(bucket + "/k")})
		must(err)
		tags := []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}
		_, err = client.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: &bucket, Key: aws.String("copy"), Tagging: &types.Tagging{TagSet: tags}})
		must(err)
		found, err := client.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: &bucket, Key: aws.String("copy")})
		must(err)
		equal(*found.TagSet[0].Value, "b")
		answer, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &bucket, Delete: &types.Delete{
			Objects: []types.ObjectIdentifier{{Key: aws.String("k")}, {Key: aws.String("copy")}}}})
		must(err)
		equal(len(answer.Deleted), 2)
	}

	checks["aws_versions"] = func(ctx context.Context, bucket, _ string) {
		client := awsClient()
		_, err := client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: &bucket,
			VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
		must(err)
		first := awsPut(ctx, client, bucket, "k", "1")
		awsPut(ctx, client, bucket, "k", "2")
		_, err = client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: aws.String("k")})
		must(err)
		equal(awsGet(ctx, client, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("k"), VersionId: first.VersionId}), "1")
		listed, err := client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &bucket})
		must(err)
		equal(len(listed.Versions), 2)
		equal(len(listed.DeleteMarkers), 1)
	}

	checks["aws_presign"] = func(ctx context.Context, bucket, _ string) {
		presign := s3.NewPresignClient(awsClient())
		put, err := presign.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("signed")})
		must(err)
		status, _ := fetch("PUT", put.URL, "sent plainly")
		equal(status, 200)
		get, err := presign.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("signed")})
		must(err)
		status, body := fetch("GET", get.URL, "")
		equal(status, 200)
		equal(body, "sent plainly")
		status, _ = fetch("GET", strings.Replace(get.URL, "signed", "other", 1), "")
		equal(status, 403)
	}

	checks["aws_error_types"] = func(ctx context.Context, bucket, _ string) {
		client := awsClient()
		_, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("absent")})
		var noSuchKey *types.NoSuchKey
		equal(errors.As(err, &noSuchKey), true)
		_, err = client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: aws.String("absent")})
		var notFound *types.NotFound
		equal(errors.As(err, &notFound), true)
		_, err = client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("no-such-bucket-of-ours")})
		var noSuchBucket *types.NoSuchBucket
		equal(errors.As(err, &noSuchBucket), true)
		_, err = client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket})
		must(err)
	}
}
