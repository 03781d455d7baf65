package bundle

// MayHaveHost asks the hosts' filter alone.
func MayHaveHost(b *Bundle, key []byte) bool { return b.hosts.filter.has(key) }
