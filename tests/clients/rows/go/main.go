// SPDX-License-Identifier: Apache-2.0

// Command rows runs a row of docs/clients.md: its snippet stands where the row's file says so.
package main

import (
	"context"
	"fmt"
	"os"
)

var (
	rows = map[string]func(context.Context){}

	bucketName, key, largeKey = os.Getenv("BUCKET"), os.Getenv("KEY"), os.Getenv("LARGE_KEY")
	small, large, out         = os.Getenv("SMALL"), os.Getenv("LARGE"), os.Getenv("OUT")
)

func must(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%T: %v\n", err, err)
		os.Exit(1)
	}
}

func open(path string) *os.File {
	file, err := os.Open(path)
	must(err)
	return file
}

func create(name string) *os.File {
	file, err := os.Create(out + "/" + name)
	must(err)
	return file
}

func main() {
	rows[os.Args[1]](context.Background())
}
