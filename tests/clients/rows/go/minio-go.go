// SPDX-License-Identifier: Apache-2.0
package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

func init() { rows["minio-go"] = minioGo }

func minioGo(ctx context.Context) {
	//SNIPPET
	for path, name := range map[string]string{small: key, large: largeKey} {
		_, err = client.FPutObject(ctx, bucketName, name, path, minio.PutObjectOptions{PartSize: 5 << 20})
		must(err)
	}
	for item := range client.ListObjects(ctx, bucketName, minio.ListObjectsOptions{Recursive: true}) {
		must(item.Err)
		fmt.Println("listed", item.Key)
	}
	for name, file := range map[string]string{key: "small", largeKey: "large"} {
		must(client.FGetObject(ctx, bucketName, name, out+"/"+file, minio.GetObjectOptions{}))
	}
	signed, err := client.PresignedGetObject(ctx, bucketName, key, time.Hour, nil)
	must(err)
	fmt.Println("url", signed)
}
