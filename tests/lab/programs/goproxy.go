// SPDX-License-Identifier: GPL-2.0-only

// A reverse proxy as Go makes it: two idle connections per host. FRONT BACK
package main

import (
	"math/rand"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"
)

func slow(w http.ResponseWriter, _ *http.Request) {
	time.Sleep(time.Duration(rand.Intn(20)) * time.Millisecond)
	w.Write([]byte("ok"))
}

func main() {
	go http.ListenAndServe(os.Args[2], http.HandlerFunc(slow))
	back, _ := url.Parse("http://" + os.Args[2])
	panic(http.ListenAndServe(os.Args[1], httputil.NewSingleHostReverseProxy(back)))
}
