package bundle

import "paravent/lists/address"

// MayHaveHost asks the hosts' filter alone.
func MayHaveHost(b *Bundle, host []byte) bool {
	maybe, _ := b.hosts.filter.has(append(host, make([]byte, address.Slack)...), len(host))
	return maybe
}
