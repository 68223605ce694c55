// SPDX-License-Identifier: GPL-2.0-only

// A client that forgets Body.Close(): URL PAUSE KEEPALIVE. Each request takes a new connection.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	pause, _ := time.ParseDuration(os.Args[2])
	keepalive, _ := time.ParseDuration(os.Args[3])
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: keepalive}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}
	ok, failed := 0, 0
	for {
		response, err := client.Get(os.Args[1])
		if err != nil {
			failed++
		} else {
			ok++
			_ = response.StatusCode
		}
		fmt.Printf("{\"ok\": %d, \"failed\": %d}\n", ok, failed)
		time.Sleep(pause)
	}
}
