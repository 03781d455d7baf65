package gateway

import (
	"fmt"
	"net/netip"
	"syscall"
)

// addressError says that an address may not be dialled.
type addressError struct{ address string }

func (e *addressError) Error() string {
	return fmt.Sprintf("%s is not port 443 of a global unicast address", e.address)
}

// globalOnly is a net.Dialer's Control: it sees each address after the name is
// resolved and right before it is dialled, so no later answer of a resolver
// can replace it.
func globalOnly(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || a.Port() != 443 || !isGlobal(a.Addr()) {
		return &addressError{address}
	}
	return nil
}

var (
	// globalUnicast6 is what IANA has given out for unicast.
	globalUnicast6 = netip.MustParsePrefix("2000::/3")
	sixToFour      = netip.MustParsePrefix("2002::/16")    // RFC 3056: bytes 2–5 are an IPv4 address
	nat64          = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: bytes 12–15 are one

	// special are the blocks of IANA's special-purpose registries
	// (RFC 6890) within the unicast ranges.
	special = prefixes(
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
		"192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
		"2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20",
	)
)

func prefixes(text ...string) (p []netip.Prefix) {
	for _, t := range text {
		p = append(p, netip.MustParsePrefix(t))
	}
	return p
}

// isGlobal says whether a is a unicast address of the public Internet. An IPv6
// address that carries an IPv4 address counts as that one.
func isGlobal(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if a.Is4() {
		if a.As4()[0] >= 224 { // multicast, reserved and broadcast
			return false
		}
	} else {
		b := a.As16()
		switch {
		case sixToFour.Contains(a):
			return isGlobal(netip.AddrFrom4([4]byte(b[2:6])))
		case nat64.Contains(a):
			return isGlobal(netip.AddrFrom4([4]byte(b[12:16])))
		case !globalUnicast6.Contains(a):
			return false
		}
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return a.IsValid()
}
