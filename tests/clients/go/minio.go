// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/tags"
)

func minioClient() *minio.Client {
	endpoint, err := url.Parse(os.Getenv("ENDPOINT"))
	must(err)
	client, err := minio.New(endpoint.Host, &minio.Options{
		Creds:        credentials.NewStaticV4(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
		Secure:       endpoint.Scheme == "https",
		BucketLookup: minio.BucketLookupPath,
		MaxRetries:   1,
		// Lets it send the checksums it is told to; without, they are refused in the client.
		TrailingHeaders: true,
	})
	must(err)
	return client
}

func minioGet(ctx context.Context, client *minio.Client, bucket, key string, options minio.GetObjectOptions) []byte {
	object, err := client.GetObject(ctx, bucket, key, options)
	must(err)
	return readAll(object)
}

func minioPut(ctx context.Context, client *minio.Client, bucket, key, body string) minio.UploadInfo {
	info, err := client.PutObject(ctx, bucket, key, strings.NewReader(body), int64(len(body)), minio.PutObjectOptions{})
	must(err)
	return info
}

func init() {
	checks["minio_put_known_and_unknown_length"] = func(ctx context.Context, bucket, file string) {
		client, want := minioClient(), readFile(file)
		exists, err := client.BucketExists(ctx, bucket)
		must(err)
		equal(exists, true)
		for _, size := range []int{0, 1, 65536, 65537, 7 << 20} {
			// Seekable bodies over http are sent in signed chunks; -1 forces a multipart upload.
			for _, length := range []int64{int64(size), -1} {
				key := fmt.Sprintf("%d/%d", size, length)
				_, err = client.PutObject(ctx, bucket, key, onlyReader{bytes.NewReader(want[:size])}, length,
					minio.PutObjectOptions{PartSize: 5 << 20, ContentType: "text/x", UserMetadata: map[string]string{"A": "b"}})
				must(err)
				sameBytes(minioGet(ctx, client, bucket, key, minio.GetObjectOptions{}), want[:size])
				stat, err := client.StatObject(ctx, bucket, key, minio.StatObjectOptions{})
				must(err)
				equal(stat.Size, int64(size))
				equal(stat.UserMetadata["A"], "b")
				equal(stat.Metadata.Get("Content-Encoding"), "")
			}
		}
	}

	checks["minio_upload_20_mib_and_download"] = func(ctx context.Context, bucket, file string) {
		client, want := minioClient(), readFile(file)
		_, err := client.FPutObject(ctx, bucket, "large", file, minio.PutObjectOptions{})
		must(err)
		sameBytes(minioGet(ctx, client, bucket, "large", minio.GetObjectOptions{}), want)
		options := minio.GetObjectOptions{}
		must(options.SetRange(5242870, 5242890))
		sameBytes(minioGet(ctx, client, bucket, "large", options), want[5242870:5242891])
	}

	checks["minio_checksums"] = func(ctx context.Context, bucket, file string) {
		client, want := minioClient(), readFile(file)[:11<<20]
		for _, kind := range []minio.ChecksumType{minio.ChecksumCRC32, minio.ChecksumCRC32C, minio.ChecksumSHA1, minio.ChecksumSHA256, minio.ChecksumCRC64NVME} {
			for _, size := range []int{1000, len(want)} {
				_, err := client.PutObject(ctx, bucket, kind.String(), bytes.NewReader(want[:size]), int64(size),
					minio.PutObjectOptions{Checksum: kind, PartSize: 5 << 20})
				must(err)
				sameBytes(minioGet(ctx, client, bucket, kind.String(), minio.GetObjectOptions{Checksum: true}), want[:size])
			}
		}
	}

	checks["minio_list_2500_keys"] = func(ctx context.Context, bucket, _ string) {
		for _, options := range []minio.ListObjectsOptions{{Recursive: true}, {Recursive: true, UseV1: true}, {Recursive: true, WithVersions: true}} {
			var keys []string
			for item := range minioClient().ListObjects(ctx, bucket, options) {
				must(item.Err)
				keys = append(keys, item.Key)
			}
			equal(len(keys), 2500)
			equal(keysDigest(keys), os.Getenv("KEYS_DIGEST"))
		}
	}

	checks["minio_copy_tag_and_remove"] = func(ctx context.Context, bucket, _ string) {
		client := minioClient()
		minioPut(ctx, client, bucket, "a b+c", "data")
		_, err := client.CopyObject(ctx, minio.CopyDestOptions{Bucket: bucket, Object: "copy"}, minio.CopySrcOptions{Bucket: bucket, Object: "a b+c"})
		must(err)
		set, err := tags.NewTags(map[string]string{"a": "b"}, true)
		must(err)
		must(client.PutObjectTagging(ctx, bucket, "copy", set, minio.PutObjectTaggingOptions{}))
		found, err := client.GetObjectTagging(ctx, bucket, "copy", minio.GetObjectTaggingOptions{})
		must(err)
		equal(found.ToMap()["a"], "b")
		objects := make(chan minio.ObjectInfo, 2)
		objects <- minio.ObjectInfo{Key: "a b+c"}
		objects <- minio.ObjectInfo{Key: "copy"}
		close(objects)
		for failed := range client.RemoveObjects(ctx, bucket, objects, minio.RemoveObjectsOptions{}) {
			must(failed.Err)
		}
		_, err = client.StatObject(ctx, bucket, "copy", minio.StatObjectOptions{})
		equal(minio.ToErrorResponse(err).Code, "NoSuchKey")
	}

	checks["minio_versions"] = func(ctx context.Context, bucket, _ string) {
		client := minioClient()
		must(client.EnableVersioning(ctx, bucket))
		first := minioPut(ctx, client, bucket, "k", "1")
		minioPut(ctx, client, bucket, "k", "2")
		must(client.RemoveObject(ctx, bucket, "k", minio.RemoveObjectOptions{}))
		equal(string(minioGet(ctx, client, bucket, "k", minio.GetObjectOptions{VersionID: first.VersionID})), "1")
		count := 0
		for item := range client.ListObjects(ctx, bucket, minio.ListObjectsOptions{WithVersions: true, Recursive: true}) {
			must(item.Err)
			count++
			must(client.RemoveObject(ctx, bucket, item.Key, minio.RemoveObjectOptions{VersionID: item.VersionID}))
		}
		equal(count, 3)
		must(client.RemoveBucket(ctx, bucket))
	}

	checks["minio_presign"] = func(ctx context.Context, bucket, _ string) {
		client := minioClient()
		put, err := client.PresignedPutObject(ctx, bucket, "signed", time.Minute)
		must(err)
		status, _ := fetch("PUT", put.String(), "sent plainly")
		equal(status, 200)
		get, err := client.PresignedGetObject(ctx, bucket, "signed", time.Minute, url.Values{"response-content-type": {"text/y"}})
		must(err)
		status, body := fetch("GET", get.String(), "")
		equal(status, 200)
		equal(body, "sent plainly")
	}
}
