// SPDX-License-Identifier: Apache-2.0

// Command clients drives aws-sdk-go-v2 and minio-go against a server, one check by name:
//
//	ENDPOINT=... AWS_ACCESS_KEY_ID=... clients CHECK BUCKET [FILE]
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"sort"
	"strings"
)

type check func(ctx context.Context, bucket, file string)

var checks = map[string]check{}

// must ends the program with an error.
func must(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%T: %v\n", err, err)
		os.Exit(1)
	}
}

func equal[T comparable](got, want T) {
	if got != want {
		must(fmt.Errorf("got %v, want %v", got, want))
	}
}

func readAll(reader io.ReadCloser) []byte {
	defer reader.Close()
	data, err := io.ReadAll(reader)
	must(err)
	return data
}

// keysDigest is what KEYS_DIGEST holds of the keys that a listing must give, in order.
func keysDigest(keys []string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(keys, "\n"))))
}

func readFile(path string) []byte {
	data, err := os.ReadFile(path)
	must(err)
	return data
}

// onlyReader hides everything but Read: a stream that can not seek.
type onlyReader struct{ io.Reader }

func fetch(method, url, body string) (int, string) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	must(err)
	response, err := http.DefaultClient.Do(request)
	must(err)
	return response.StatusCode, string(readAll(response.Body))
}

func sameBytes(got, want []byte) {
	if !bytes.Equal(got, want) {
		must(fmt.Errorf("%d bytes differ from the %d expected", len(got), len(want)))
	}
}

func main() {
	if len(os.Args) < 3 {
		var names []string
		for name := range checks {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Println(strings.Join(names, "\n"))
		return
	}
	file := ""
	if len(os.Args) > 3 {
		file = os.Args[3]
	}
	run, found := checks[os.Args[1]]
	if !found {
		must(fmt.Errorf("no check is named %s", os.Args[1]))
	}
	run(context.Background(), os.Args[2], file)
	fmt.Println("ok")
}
