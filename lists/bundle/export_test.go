package bundle

// MayHaveHost asks the hosts' filter alone.
func MayHaveHost(b *Bundle, host []byte) bool {
	maybe, _ := b.hosts.filter.has(host)
	return maybe
}
