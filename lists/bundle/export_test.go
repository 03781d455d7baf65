package bundle

import "paravent/lists/address"

// MayHaveHost asks the hosts' filter alone.
func MayHaveHost(b *Bundle, host []byte) bool {
	maybe, _ := b.hosts.filter.has(append(host, make([]byte, address.Slack)...), len(host))
	return maybe
}

// A Has asks a filter alone about the first n bytes of text, behind which Slack
// more can be read. hash is what leads into the table.
type Has func(text []byte, n int) (maybe bool, hash uint64)

// Filters are those of the hosts and of the directories.
func Filters(b *Bundle) (hosts, directories Has) {
	return b.hosts.filter.has, b.directories.filter.has
}

// Slot is the bucket of the hosts table that a hash leads to. Keys of one slot
// are told apart by their bytes alone.
func Slot(b *Bundle, hash uint64) uint64 { return hash >> b.hosts.table.shift }
