package release

import "encoding/binary"

// How a delta guesses the next letter of a line from the text before it: from
// every place where the last letters stood before, as in "prediction by
// partial matching" (Cleary and Witten, 1984), where the shares of shorter
// contexts are counted as Kneser and Ney (1995) do: by how many different
// letters stood before them. Only whole numbers, so that every machine guesses
// alike.

const (
	shortest = 3  // letters of context that are looked up
	longest  = 16 // letters of context that make a difference
	// doubt is how much each different letter that stood behind a context speaks
	// for others that did not.
	doubt = 3
	// Where so many letters agree, nobody asks what stood behind fewer than
	// eight. Most of a long line that was changed is found this way, without a
	// look at the thousands of places where three letters stand.
	sure = 12
	// mostPlaces is how many places are looked at for three letters, the newest
	// first.
	mostPlaces = 1 << 13
	// maxSteps is how many places one delta may look at, which bounds the time
	// that an absurd one takes.
	maxSteps = 64 << 20
)

// A guesser knows the text so far: of every line the number of its section,
// the line, a line feed.
type guesser struct {
	text  []byte
	three places
	eight places
	after [256][256]uint32
	steps int

	counts  [longest + 1][256]uint32 // length of the context → letter → how often
	letters [longest + 1][]byte      // those with counts
	seen    [longest + 1][1 << 16]uint32
	now     uint32 // what seen holds if it was seen this time
}

// places finds where the same letters stood before.
type places struct {
	newest [1 << 16]int32 // hash of the letters → the newest place behind them
	older  []int32        // place → the next older one with that hash
}

func (p *places) add(hash uint16, at int) {
	for len(p.older) < at {
		p.older = append(p.older, 0)
	}
	p.older = append(p.older, p.newest[hash])
	p.newest[hash] = int32(at)
}

func newGuesser(size int) *guesser {
	g := &guesser{text: make([]byte, 0, size)}
	g.three.older = make([]int32, 0, size)
	g.eight.older = make([]int32, 0, size)
	return g
}

// hash3 and hash8 hash the letters at the end of a text.
func hash3(text []byte) uint16 {
	end := text[len(text)-3:]
	return uint16((uint32(end[0])<<16 | uint32(end[1])<<8 | uint32(end[2])) * 0x9e3779b1 >> 16)
}

func hash8(text []byte) uint16 {
	return uint16(binary.LittleEndian.Uint64(text[len(text)-8:]) * 0x9e3779b97f4a7c15 >> 48)
}

// learn adds a line to the text.
func (g *guesser) learn(section byte, line string) {
	g.add(section)
	for i := range len(line) {
		g.add(line[i])
	}
	g.add('\n')
}

func (g *guesser) add(letter byte) {
	at := len(g.text)
	if at >= 3 {
		g.three.add(hash3(g.text), at)
	}
	if at >= 8 {
		g.eight.add(hash8(g.text), at)
	}
	if at > 0 {
		g.after[g.text[at-1]][letter]++
	}
	g.text = append(g.text, letter)
}

// guess fills shares with what each letter may expect to be next: more than 0
// for all, together about 1<<32. The line so far begins with the number of its
// section.
func (g *guesser) guess(line []byte, shares *[256]uint64) {
	left := uint64(1 << 32) // of the shares
	*shares = [256]uint64{}
	if len(line) >= shortest {
		most := g.count(line)
		for n := most; n >= shortest; n-- {
			var sum uint64
			for _, c := range g.letters[n] {
				sum += uint64(g.counts[n][c])
			}
			different := doubt * uint64(len(g.letters[n]))
			whole := sum + different
			for _, c := range g.letters[n] {
				shares[c] += left * uint64(g.counts[n][c]) / whole
			}
			g.forget(n)
			left = left * different / whole
		}
	}
	after := &g.after[line[len(line)-1]]
	var sum, different uint64
	for _, n := range after {
		sum += uint64(n)
		if n > 0 {
			different++
		}
	}
	different++ // also where the letter is new
	for c, n := range after {
		shares[c] += left*uint64(n)/(sum+different) + left*different/(sum+different)/256 + 1
	}
}

// count counts what stood behind the end of the line before, and returns the
// length of the longest context found.
func (g *guesser) count(line []byte) (most int) {
	if len(line) >= sure {
		most = g.look(line, &g.eight, hash8(line), 8, len(g.text))
	}
	if most < sure {
		for n := range g.letters {
			g.forget(n)
		}
		most = g.look(line, &g.three, hash3(line), shortest, mostPlaces)
	}
	for n := most; n > shortest; n-- {
		for _, c := range g.letters[n] {
			g.tally(n-1, c)
		}
	}
	return most
}

func (g *guesser) look(line []byte, p *places, hash uint16, least, mostPlaces int) (most int) {
	g.now++
	limit, stop := min(longest, len(line)), g.steps+mostPlaces
	for at := p.newest[hash]; at > 0 && g.steps < stop; at = p.older[at] {
		g.steps++
		n, from := 0, int(at)-1
		for n < limit && from >= 0 && g.text[from] == line[len(line)-1-n] {
			n++
			from--
		}
		if n < least {
			continue
		}
		most = max(most, n)
		letter := g.text[at]
		if n < limit {
			var before byte
			if from >= 0 {
				before = g.text[from]
			}
			pair := int(before)<<8 | int(letter)
			if g.seen[n][pair] == g.now {
				continue
			}
			g.seen[n][pair] = g.now
		}
		g.tally(n, letter)
	}
	return most
}

func (g *guesser) forget(n int) {
	for _, c := range g.letters[n] {
		g.counts[n][c] = 0
	}
	g.letters[n] = g.letters[n][:0]
}

func (g *guesser) tally(n int, letter byte) {
	if g.counts[n][letter] == 0 {
		g.letters[n] = append(g.letters[n], letter)
	}
	g.counts[n][letter]++
}
