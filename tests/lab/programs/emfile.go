// SPDX-License-Identifier: GPL-2.0-only

// A server without descriptors left: accept() fails with EMFILE, and it tries again for ever.
package main

import (
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		panic(err)
	}
	var kept []net.Conn
	for failed := 0; ; {
		connection, err := listener.Accept()
		if err == nil {
			kept = append(kept, connection)
			continue
		}
		failed++
		fmt.Printf("{\"accepted\": %d, \"failed\": %d}\n", len(kept), failed)
		time.Sleep(100 * time.Millisecond)
	}
}
