package bundle

import "encoding/binary"

// A machine is a deterministic automaton that reads an address and says
// whether a regular expression matches somewhere in it. Package compile makes
// it; run looks at every byte at most once and allocates nothing, so that no
// expression and no address can make it slow.
//
//	2 number of states   2 number of classes
//	128 the class of each ASCII byte; the last class is the address's end
//	states×classes×2 the next state: 0 is the first, Matched and Dead are final
const (
	Matched = 0xffff // the expression has matched
	Dead    = 0xfffe // it cannot match any more
)

// Match runs the record's regular expression over an address.
func (b *Bundle) Match(r *Record, text []byte) (bool, error) {
	at := uint64(r.machine) - 1
	if at+132 > uint64(len(b.machines)) {
		return false, ErrCorrupt
	}
	data := b.machines[at:]
	states, classes := int(binary.LittleEndian.Uint16(data)), int(binary.LittleEndian.Uint16(data[2:]))
	class, next := data[4:132], data[132:]
	if states == 0 || classes == 0 || states*classes*2 > len(next) {
		return false, ErrCorrupt
	}
	state := 0
	for i := 0; i <= len(text); i++ {
		c := classes - 1
		if i < len(text) {
			if text[i] >= 0x80 {
				return false, nil
			}
			c = int(class[text[i]])
		}
		if state >= states || c >= classes {
			return false, ErrCorrupt
		}
		switch state = int(binary.LittleEndian.Uint16(next[2*(state*classes+c):])); state {
		case Matched:
			return true, nil
		case Dead:
			return false, nil
		}
	}
	return false, nil
}
