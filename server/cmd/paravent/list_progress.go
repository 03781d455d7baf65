package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// A progress tells whoever waits at a terminal what takes so long. It writes
// one line over and over, and takes it away at the end:
//
//	paravent: importing AdGuard Tracking Protection filter … 3 s
type progress struct {
	out  io.Writer
	stop chan struct{}
	done sync.WaitGroup

	mu   sync.Mutex
	what string
}

// patience is how long nobody wonders.
const patience = time.Second

// startProgress begins to wait for something. Nothing is written unless
// standard error is a terminal.
func startProgress(what string) *progress {
	if info, err := os.Stderr.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return &progress{}
	}
	return progressOn(os.Stderr, what, patience)
}

func progressOn(out io.Writer, what string, every time.Duration) *progress {
	p := &progress{out: out, what: what, stop: make(chan struct{})}
	p.done.Go(func() { p.run(every) })
	return p
}

func (p *progress) run(every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for start, shown := time.Now(), false; ; shown = true {
		select {
		case <-ticker.C:
			p.mu.Lock()
			fmt.Fprintf(p.out, "\r\x1b[Kparavent: %s … %.0f s", p.what, time.Since(start).Seconds())
			p.mu.Unlock()
		case <-p.stop:
			if shown {
				fmt.Fprint(p.out, "\r\x1b[K")
			}
			return
		}
	}
}

// say changes what is waited for.
func (p *progress) say(what string) {
	p.mu.Lock()
	p.what = what
	p.mu.Unlock()
}

// end takes the line away.
func (p *progress) end() {
	if p.stop != nil {
		close(p.stop)
		p.done.Wait()
	}
}
