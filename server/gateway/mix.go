package gateway

import (
	"math/rand/v2"
	"sync"
	"time"
)

// A mix lets what comes within a few milliseconds of each other leave together,
// in an order that says nothing of the one before. So the photo host does not
// see a page's photos in the page's order, nor, where several patients search at
// once, which of them asked for which. A reader's own client shuffles too, but
// the gateway cannot count on it.
//
// A delay of its own for every fetch would have to be several times as long to
// mix as many, and would be paid in full by pages whose browser asks for a few
// at a time. Where nobody else asks in the window there is nobody to mix with,
// however long it is.
type mix struct {
	mu      sync.Mutex
	waiting []chan struct{}
}

// window is the longest that anything waits in a mix, and twice the shortest
// that the first of a group does.
const window = 8 * time.Millisecond

// wait returns when the caller's group leaves.
func (m *mix) wait() {
	leave := make(chan struct{})
	m.mu.Lock()
	m.waiting = append(m.waiting, leave)
	if len(m.waiting) == 1 {
		time.AfterFunc(window/2+rand.N(window/2), m.leave)
	}
	m.mu.Unlock()
	<-leave
}

func (m *mix) leave() {
	m.mu.Lock()
	group := m.waiting
	m.waiting = nil
	m.mu.Unlock()
	rand.Shuffle(len(group), func(i, j int) { group[i], group[j] = group[j], group[i] })
	for _, leave := range group {
		close(leave)
	}
}
