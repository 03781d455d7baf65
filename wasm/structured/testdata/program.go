//go:build ignore

// A program that switches goroutines, panics and grows its memory in the midst
// of functions with every form of control flow. It prints the same natively
// and as WebAssembly, rewritten or not.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	fmt.Println("loops", loops(50), labels(12), gotos(9), gotos(10))
	for i := range 9 {
		fmt.Println("switch", i, choose(i, fmt.Sprint(i)))
	}
	fmt.Println("goroutines", pipeline(500))
	fmt.Println("mutex", shared(20, 50))
	fmt.Println("recover", recovered(func() { var s []int; _ = s[len(os.Args)+3] }))
	fmt.Println("recover", recovered(func() { var p *struct{ a, b int }; p.b = len(os.Args) }))
	fmt.Println("recover", recovered(func() { n := len(os.Args) - len(os.Args); fmt.Println(7 / n) }))
	fmt.Println("recover", recovered(func() { var a any = "text"; fmt.Println(a.(int)) }))
	fmt.Println("recover", recovered(func() { panic(errors.New("own")) }))
	fmt.Println("again", repanicked())
	fmt.Println("defers", deferred(6))
	fmt.Println("deep", deep(20000, [64]byte{1}))
	fmt.Println("exit", exited())
	fmt.Println("memory", memory(64))
	fmt.Println("closures", closures(10), methods(11))
	fmt.Println("copies", copies(3), copies(200))
	fmt.Println("select", selected())
	fmt.Println("iterators", slices.Collect(until(func(yield func(int) bool) {
		for i := 0; yield(i * i); i++ {
			runtime.Gosched()
		}
	}, 50)))
	fmt.Println("floats", floats(20))
}

func loops(n int) (sum int) {
	for i := range n {
		for j := i; j > 0; j /= 2 {
			if j%3 == 0 {
				continue
			}
			if j%7 == 6 {
				break
			}
			sum += j
			if sum%11 == 0 {
				runtime.Gosched()
			}
		}
	}
	return sum
}

func labels(n int) (sum int) {
outer:
	for i := 0; ; i++ {
		for j := 0; ; j++ {
			switch {
			case i > n:
				break outer
			case j > i:
				continue outer
			case (i+j)%5 == 4:
				runtime.Gosched()
				continue
			}
			sum += i ^ j
		}
	}
	return sum
}

// gotos has a loop with two entries.
func gotos(n int) int {
	sum := 0
	if n%2 == 0 {
		goto middle
	}
begin:
	sum += n
middle:
	n--
	sum += 1000
	if n > 0 {
		runtime.Gosched()
		goto begin
	}
	return sum
}

func choose(i int, text string) string {
	switch i {
	case 0, 5:
		return "zero or five"
	case 1:
		text += "!"
		fallthrough
	case 2:
		text += "?"
	case 3:
		runtime.Gosched()
	case 4, 6, 7:
		return strings.Repeat(text, i)
	}
	switch text {
	case "3":
		return "three"
	case "1!?":
		return "one"
	}
	return text
}

func pipeline(n int) (sum int) {
	numbers, squares := make(chan int), make(chan int, 3)
	go func() {
		defer close(numbers)
		for i := range n {
			numbers <- i
		}
	}()
	var workers sync.WaitGroup
	for range 4 {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := range numbers {
				if i%100 == 0 {
					time.Sleep(time.Microsecond)
				}
				squares <- i * i
			}
		}()
	}
	go func() { workers.Wait(); close(squares) }()
	for s := range squares {
		sum += s
	}
	return sum
}

func shared(goroutines, times int) int {
	var mutex sync.Mutex
	var done sync.WaitGroup
	counts := map[string]int{}
	for g := range goroutines {
		done.Go(func() {
			for i := range times {
				mutex.Lock()
				counts[fmt.Sprint(i%7)] += g
				if i%10 == 0 {
					runtime.Gosched()
				}
				mutex.Unlock()
			}
		})
	}
	done.Wait()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}

func recovered(f func()) (text string) {
	defer func() {
		runtime.Gosched()
		text = fmt.Sprint(recover())
	}()
	f()
	return "nothing"
}

func repanicked() (text string) {
	defer func() { text += fmt.Sprint(recover()) }()
	defer func() {
		text = fmt.Sprint(recover(), " then ")
		panic("second")
	}()
	panic("first")
}

func deferred(n int) (text string) {
	for i := range n {
		defer func() { text += fmt.Sprint(i) }()
		if i == 4 {
			defer runtime.Gosched()
			return "early"
		}
	}
	return "late"
}

// deep makes its stack grow, many times over.
func deep(n int, room [64]byte) int {
	if n == 0 {
		return int(room[0])
	}
	if n%1000 == 0 {
		runtime.Gosched()
	}
	room[n%64]++
	return deep(n-1, room) + int(room[1])%2
}

func exited() (text string) {
	done := make(chan string)
	go func() {
		defer func() { done <- fmt.Sprint("left with ", recover()) }()
		func() {
			defer func() { text = "inner" }()
			runtime.Goexit()
		}()
	}()
	return <-done + " " + text
}

func memory(megabytes int) int {
	var all [][]byte
	for i := range megabytes {
		all = append(all, make([]byte, 1<<20))
		all[i][i] = byte(i)
		if i%16 == 0 {
			runtime.GC()
		}
	}
	sum := 0
	for i := range all {
		sum += int(all[i][i])
	}
	return sum
}

func closures(n int) (sum int) {
	var all []func() int
	for i := range n {
		all = append(all, func() int { runtime.Gosched(); i++; return i })
	}
	for _, f := range all {
		sum += f() * f()
	}
	return sum
}

type shape interface{ area() int }
type square struct{ a int }
type pair struct{ a, b shape }

func (s square) area() int { return s.a * s.a }
func (p *pair) area() int {
	if p.a == nil {
		return 0
	}
	runtime.Gosched()
	return p.a.area() + p.b.area()
}

func methods(n int) int {
	var s shape = square{n}
	for i := range n {
		s = &pair{s, square{i}}
	}
	return s.area()
}

type block struct {
	head byte
	room [13]uint16
	tail [5]int64
}

func copies(n int) (sum int) {
	blocks := make([]block, n)
	for i := range blocks {
		blocks[i] = block{head: byte(i), tail: [5]int64{4: int64(i)}}
		blocks[i].room[12] = uint16(3 * i)
	}
	for i := range blocks {
		other := blocks[len(blocks)-1-i]
		blocks[i], other = other, blocks[i]
		if other.head%2 == 0 {
			blocks[i] = block{}
		}
		sum += int(other.room[12]) + int(blocks[i].tail[4])
	}
	return sum
}

func selected() (text string) {
	a, b, quit := make(chan int), make(chan string), make(chan struct{})
	go func() {
		for i := range 3 {
			a <- i
			b <- fmt.Sprint("b", i)
		}
		close(quit)
	}()
	for {
		select {
		case i := <-a:
			text += fmt.Sprint("a", i)
		case s := <-b:
			text += s
		case <-quit:
			return text
		}
	}
}

func until(from func(func(int) bool), end int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range from {
			if i > end || !yield(i) {
				return
			}
		}
	}
}

func floats(n int) (sum float64) {
	x, y := float32(1), 1.5
	for i := range n {
		switch x += float32(i); {
		case x > 100:
			x /= 3
			runtime.Gosched()
		case y < float64(x):
			y *= 1.25
		}
		sum += y * float64(x)
	}
	return sum
}
