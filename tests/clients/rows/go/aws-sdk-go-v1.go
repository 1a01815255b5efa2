// SPDX-License-Identifier: Apache-2.0
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/s3"
	"github.com/aws/aws-sdk-go/service/s3/s3manager"
)

func init() { rows["aws-sdk-go-v1"] = awsV1 }

func awsV1(_ context.Context) {
	//SNIPPET
	for path, name := range map[string]string{small: key, large: largeKey} {
		_, err := s3manager.NewUploader(session).Upload(&s3manager.UploadInput{
			Bucket: &bucketName, Key: aws.String(name), Body: open(path)})
		must(err)
	}
	list, err := s3.New(session).ListObjectsV2(&s3.ListObjectsV2Input{Bucket: &bucketName})
	must(err)
	for _, item := range list.Contents {
		fmt.Println("listed", *item.Key)
	}
	for name, file := range map[string]string{key: "small", largeKey: "large"} {
		_, err = s3manager.NewDownloader(session).Download(create(file), &s3.GetObjectInput{
			Bucket: &bucketName, Key: aws.String(name)})
		must(err)
	}
	request, _ := s3.New(session).GetObjectRequest(&s3.GetObjectInput{Bucket: &bucketName, Key: &key})
	signed, err := request.Presign(time.Hour)
	must(err)
	fmt.Println("url", signed)
}
