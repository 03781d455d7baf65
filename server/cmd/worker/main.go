//go:build js && wasm

// Command worker is the list server as a Cloudflare Worker, see README.md in
// this folder. It is started by entry.js for one request that is not a read,
// and ends with its answer. Beside it lie the texts and bindings of its
// wrangler.toml:
//
//	BUCKET   the R2 bucket that is the store
//	LOG_KEY  the log's secret key, a secret of the Worker
//	TRUST    trust.txt, who may publish the first release
package main

import (
	"net/http"

	"github.com/syumai/workers"
)

func main() {
	workers.Serve(http.NotFoundHandler())
}
