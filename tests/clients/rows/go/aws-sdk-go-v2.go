// SPDX-License-Identifier: Apache-2.0
package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func init() { rows["aws-sdk-go-v2"] = awsV2 }

func awsV2(ctx context.Context) {
	//SNIPPET
	for path, name := range map[string]string{small: key, large: largeKey} {
		_, err = manager.NewUploader(client).Upload(ctx, &s3.PutObjectInput{
			Bucket: &bucketName, Key: aws.String(name), Body: open(path)})
		must(err)
	}
	list, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &bucketName})
	must(err)
	for _, item := range list.Contents {
		fmt.Println("listed", *item.Key)
	}
	for name, file := range map[string]string{key: "small", largeKey: "large"} {
		_, err = manager.NewDownloader(client).Download(ctx, create(file), &s3.GetObjectInput{
			Bucket: &bucketName, Key: aws.String(name)})
		must(err)
	}
	signed, err := s3.NewPresignClient(client).PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &bucketName, Key: &key})
	must(err)
	fmt.Println("url", signed.URL)
}
