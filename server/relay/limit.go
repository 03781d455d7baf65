package relay

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"
)

// forgetting is how long a limiter remembers anybody.
const forgetting = time.Minute

// maxClients bounds a limiter's memory, at about 64 bytes each. More clients
// than that within a minute start the minute anew.
const maxClients = 1 << 18

// A limiter slows down clients that ask too often, by a bucket of tokens each.
// A client begins each minute with a full bucket, which is the price of
// forgetting.
type limiter struct {
	burst, perSecond float64

	mu  sync.Mutex
	now *minute
}

// A minute is what a limiter knows: clients, by a hash under a key that exists
// only here. It begins with somebody's request, and is dropped a minute later,
// whether more requests came or not.
type minute struct {
	key     []byte
	buckets map[bucketKey]bucket
}

type bucketKey [16]byte

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimiter(perMinute int) *limiter {
	// Half at once, the other half in the course of the minute.
	return &limiter{burst: max(1, float64(perMinute)/2), perSecond: float64(perMinute) / 120}
}

// take says whether a client may send one more request now.
func (l *limiter) take(client netip.Addr, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now == nil || len(l.now.buckets) >= maxClients {
		m := &minute{make([]byte, 32), map[bucketKey]bucket{}}
		rand.Read(m.key)
		l.now = m
		time.AfterFunc(forgetting, func() { l.forget(m) })
	}
	name := l.now.name(client)
	b, known := l.now.buckets[name]
	if !known {
		b = bucket{l.burst, now}
	}
	b.tokens = min(l.burst, b.tokens+l.perSecond*max(0, now.Sub(b.at).Seconds()))
	b.at = now
	may := b.tokens >= 1
	if may {
		b.tokens--
	}
	l.now.buckets[name] = b
	return may
}

func (l *limiter) forget(m *minute) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now == m {
		l.now = nil
	}
}

// name is a client's under the key: an IPv4 address, or the /64 of an IPv6
// address, which is the smallest network that one party has to itself.
func (m *minute) name(client netip.Addr) bucketKey {
	client = client.Unmap().WithZone("")
	if client.Is6() {
		prefix, _ := client.Prefix(64)
		client = prefix.Addr()
	}
	mac := hmac.New(sha256.New, m.key)
	mac.Write(client.AsSlice())
	return bucketKey(mac.Sum(nil)[:16])
}
