package source

import (
	"errors"
	"net/netip"
	"strings"

	"paravent/lists/filter"
)

// hosts imports a hosts file, or a plain list of names:
//
//	# comment
//	127.0.0.1 localhost
//	0.0.0.0 tracker.example pixel.example   # two names
//	metrics.example
//
// A name in such a list means its subdomains too, as everywhere here: whoever
// lists a tracker does not mean to let through what is below it.
func (b *builder) hosts(text []byte) error {
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		line, _, _ = strings.Cut(line, "#")
		names := strings.Fields(line)
		if len(names) == 0 || names[0][0] == '!' {
			continue
		}
		nowhere := true
		if ip, err := netip.ParseAddr(names[0]); err == nil && len(names) > 1 {
			nowhere = ip.IsUnspecified() || ip.IsLoopback()
			names = names[1:]
		} else if len(names) > 1 {
			b.leaveOut(errors.New("a line of names without an address"), line)
			continue
		}
		for _, name := range names {
			if ownName(name) {
				continue
			}
			r, err := hostRule(name)
			switch {
			case err != nil:
			case !nowhere:
				err = &filter.Unsupported{Kind: "name that is given an address of its own"}
			case !strings.ContainsAny(r.Host, ".:"):
				err = &filter.Unsupported{Kind: "name without a dot"}
			}
			if err != nil {
				b.leaveOut(err, line)
				continue
			}
			b.take(r)
		}
	}
	return nil
}

// hostRule is the rule for a host and its subdomains.
func hostRule(name string) (r filter.Rule, err error) {
	if err := r.SetPattern("||" + asciiHost(name) + "^"); err != nil {
		return r, err
	}
	if r.Host == "" || r.Pattern != "" {
		return r, errors.New("want a whole host name, such as example.com")
	}
	return r, nil
}

// ownName knows the names that a hosts file gives the machine it is on.
func ownName(name string) bool {
	switch name = strings.ToLower(name); name {
	case "localhost", "localhost.localdomain", "localhost4", "localhost6", "local", "broadcasthost", "0.0.0.0":
		return true
	}
	return strings.HasPrefix(name, "ip6-")
}
