//go:build race && unix

package main

import (
	"encoding/json"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
)

// A pulse is what a program that was built with the race detector holds once
// its garbage is gone. Such a build is for soaking alone: at every SIGUSR1 it
// adds a pulse, a line of JSON, to the file named by its process's number in
// the directory PARAVENT_PULSES.
type pulse struct {
	Goroutines int    `json:"goroutines"`
	Heap       uint64 `json:"heap"`
}

func init() {
	dir := os.Getenv("PARAVENT_PULSES")
	if dir == "" {
		return
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	go func() {
		for range asked {
			debug.FreeOSMemory()
			var memory runtime.MemStats
			runtime.ReadMemStats(&memory)
			line, err := json.Marshal(pulse{runtime.NumGoroutine(), memory.HeapAlloc})
			if err != nil {
				panic(err)
			}
			file, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(os.Getpid())), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				panic(err)
			}
			if _, err := file.Write(append(line, '\n')); err != nil {
				panic(err)
			}
			file.Close()
		}
	}()
}
