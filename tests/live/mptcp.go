// SPDX-License-Identifier: GPL-2.0-only

// A Go server as Go 1.24 and later make one: it listens with IPPROTO_MPTCP. It prints its pid, accepts, reads
// until the end of each connection, and closes none.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

const ipprotoMPTCP = 262

func listen(port int) (net.Listener, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, ipprotoMPTCP)
	if err != nil {
		return nil, err
	}
	addr := &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
	if err = syscall.Bind(fd, addr); err == nil {
		err = syscall.Listen(fd, 64)
	}
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "listener")
	defer file.Close()
	return net.FileListener(file)
}

func main() {
	listener, err := listen(8080)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(os.Getpid())
	var kept []net.Conn
	for {
		conn, err := listener.Accept()
		if err != nil {
			os.Exit(1)
		}
		kept = append(kept, conn)
		go io.Copy(io.Discard, conn)
	}
}
