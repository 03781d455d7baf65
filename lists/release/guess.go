package release

// How a delta guesses the next letter of a line from the text before it: from
// every place where the last letters stood before, as in "prediction by
// partial matching" (Cleary and Witten, 1984), where the shares of shorter
// contexts are counted as Kneser and Ney (1995) do: by how many different
// letters stood before them. Only whole numbers, so that every machine guesses
// alike.

const (
	shortest = 3  // letters of context that are looked up
	longest  = 16 // letters of context that make a difference
	// maxSteps is how many places one delta may look at, which bounds the time
	// that an absurd one takes.
	maxSteps = 100 << 20
)

// A guesser knows the text so far: of every line the number of its section,
// the line, a line feed.
type guesser struct {
	text  []byte
	first [1 << 16]int32 // hash of three letters → the newest place behind them
	older []int32        // place → the next older one with that hash
	after [256][256]uint32
	steps int

	counts  [longest + 1][256]uint32 // length of the context → letter → how often
	letters [longest + 1][]byte      // those with counts
	seen    [longest + 1][1 << 16]uint32
	now     uint32 // what seen holds if it was seen this time
}

func newGuesser(size int) *guesser {
	return &guesser{text: make([]byte, 0, size), older: make([]int32, 0, size)}
}

func hash(text []byte) uint32 {
	return (uint32(text[0])<<16 | uint32(text[1])<<8 | uint32(text[2])) * 0x9e3779b1 >> 16
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
	at, before := len(g.text), int32(0)
	if at >= shortest {
		h := hash(g.text[at-shortest:])
		before, g.first[h] = g.first[h], int32(at)
	}
	if at > 0 {
		g.after[g.text[at-1]][letter]++
	}
	g.text = append(g.text, letter)
	g.older = append(g.older, before)
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
			different := uint64(len(g.letters[n]))
			whole := sum + different
			for _, c := range g.letters[n] {
				shares[c] += left * uint64(g.counts[n][c]) / whole
				g.counts[n][c] = 0
			}
			g.letters[n] = g.letters[n][:0]
			if sum > 0 {
				left = left * different / whole
			}
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

// count looks at every place where the end of the line stood before, and
// returns the length of the longest context found there.
func (g *guesser) count(line []byte) (most int) {
	g.now++
	limit := min(longest, len(line))
	for at := g.first[hash(line[len(line)-shortest:])]; at > 0; at = g.older[at] {
		g.steps++
		n, from := 0, int(at)-1
		for n < limit && from >= 0 && g.text[from] == line[len(line)-1-n] {
			n++
			from--
		}
		if n < shortest {
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
	for n := most; n > shortest; n-- {
		for _, c := range g.letters[n] {
			g.tally(n-1, c)
		}
	}
	return most
}

func (g *guesser) tally(n int, letter byte) {
	if g.counts[n][letter] == 0 {
		g.letters[n] = append(g.letters[n], letter)
	}
	g.counts[n][letter]++
}
