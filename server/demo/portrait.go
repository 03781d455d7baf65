package demo

import (
	"bytes"
	"crypto/sha256"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"sync"
)

// drawings keeps what has been drawn, since the same few are asked for again
// and again. There are at most four sizes of a doctor.
var drawings sync.Map // drawing → []byte

type drawing struct {
	slug string
	size int
}

// portrait returns a JPEG of size × size pixels: a friendly face, the same for
// the same doctor and different from everybody else's.
func portrait(d *doctor, size int) []byte {
	key := drawing{d.slug, size}
	if b, ok := drawings.Load(key); ok {
		return b.([]byte)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, drawPortrait(d.seed, size), &jpeg.Options{Quality: 94}); err != nil {
		panic(err) // writing to memory
	}
	drawings.Store(key, out.Bytes())
	return out.Bytes()
}

var (
	skins   = []rgb{{0.98, 0.85, 0.74}, {0.93, 0.74, 0.59}, {0.80, 0.58, 0.42}, {0.62, 0.42, 0.29}, {0.45, 0.29, 0.20}}
	hairs   = []rgb{{0.13, 0.10, 0.10}, {0.30, 0.19, 0.13}, {0.52, 0.33, 0.18}, {0.80, 0.62, 0.36}, {0.62, 0.62, 0.64}, {0.60, 0.26, 0.16}}
	grounds = []rgb{{0.77, 0.89, 0.87}, {0.98, 0.88, 0.70}, {0.82, 0.85, 0.96}, {0.96, 0.81, 0.80}, {0.85, 0.91, 0.76}, {0.90, 0.84, 0.94}}
	clothes = []rgb{{0.97, 0.98, 0.99}, {0.16, 0.45, 0.50}, {0.28, 0.36, 0.58}, {0.62, 0.30, 0.38}, {0.38, 0.50, 0.36}}
)

// drawPortrait paints layers from back to front. Coordinates run from -1 to 1,
// y downwards; every shape is a signed distance, negative inside, so that its
// edge can be smoothed over one pixel.
func drawPortrait(seed [sha256.Size]byte, size int) image.Image {
	pick := func(i int, of []rgb) rgb { return of[int(seed[i])%len(of)] }
	vary := func(i int) float64 { return float64(seed[i])/127.5 - 1 } // -1 … 1
	ground, skin, hair, cloth := pick(0, grounds), pick(1, skins), pick(2, hairs), pick(3, clothes)
	faceW, faceH := 0.30+0.03*vary(4), 0.38+0.03*vary(5)
	long, glasses, beard := seed[6]%2 == 0, seed[7]%3 == 0, seed[6]%2 == 1 && seed[8]%3 == 0
	part, smile := 0.18*vary(9), 0.09+0.03*vary(10)
	coat := seed[11]%2 == 0
	ink := rgb{0.16, 0.13, 0.14}

	img := image.NewRGBA(image.Rect(0, 0, size, size))
	px := 2 / float64(size)
	for j := range size {
		for i := range size {
			x, y := (float64(i)+0.5)*px-1, (float64(j)+0.5)*px-1
			c := ground.mix(rgb{1, 1, 1}, 0.35*(1-math.Hypot(x+0.4, y+0.6)/2))
			c = c.mix(ground.times(0.86), cover(ellipse(x, y, 0.75, 0.75, 0.62, 0.62), px))
			x, y = x*0.84, y*0.84+0.04 // come nearer
			paint := func(d float64, with rgb) { c = c.mix(with, cover(d, px)) }

			cy := -0.16 // centre of the face
			if long {
				paint(ellipse(x, y, 0, cy+0.12, faceW+0.15, faceH+0.24), hair.times(0.86))
			}
			shoulders := ellipse(x, y, 0, 0.99, 0.80, 0.62)
			paint(shoulders, cloth)
			paint(max(shoulders, math.Abs(x)-0.17+0.25*(y-0.41)), cloth.times(0.90))
			if coat {
				lapel := max(shoulders, 0.15-math.Abs(x)+0.28*(y-0.46))
				paint(lapel, rgb{0.97, 0.98, 0.99})
				paint(max(lapel, math.Abs(math.Abs(x)-0.15-0.28*(y-0.46))-0.012), rgb{0.80, 0.84, 0.87})
			}
			neck := max(math.Abs(x)-0.13, max(y-0.58, -(y-0.05)))
			paint(math.Min(neck, ellipse(x, y, 0, 0.46, 0.13, 0.09)), skin.times(0.90))

			paint(math.Min(ellipse(x, y, -faceW, cy+0.03, 0.06, 0.09), ellipse(x, y, faceW, cy+0.03, 0.06, 0.09)), skin.times(0.94))
			face := ellipse(x, y, 0, cy, faceW, faceH)
			paint(face, skin)
			paint(max(face, -ellipse(x, y, -0.05, cy-0.03, faceW, faceH)), skin.times(0.95))
			if beard {
				paint(max(face, -ellipse(x, y, 0, cy-0.09, faceW+0.02, faceH*0.82)), hair.times(0.95))
			}
			cap := max(ellipse(x, y, 0, cy-0.05, faceW+0.06, faceH+0.05), -ellipse(x, y, part, cy+0.26, faceW+0.10, faceH+0.09))
			paint(max(cap, y-cy-0.10), hair)

			for _, side := range []float64{-1, 1} {
				ex := side * 0.12
				paint(ellipse(x, y, ex, cy+0.04, 0.030, 0.036), ink)
				paint(ellipse(x, y, ex+0.010, cy+0.028, 0.010, 0.010), rgb{1, 1, 1})
				paint(max(math.Abs(math.Hypot(x-ex, y-cy-0.07)-0.13)-0.013, y-cy+0.035, math.Abs(x-ex)-0.07), hair.times(0.8))
				paint(ellipse(x, y, side*0.18, cy+0.15, 0.055, 0.035), skin.mix(rgb{0.92, 0.45, 0.42}, 0.28))
				if glasses {
					paint(math.Abs(math.Hypot(x-ex, y-cy-0.04)-0.092)-0.012, ink)
				}
			}
			if glasses {
				paint(max(math.Abs(y-cy-0.035)-0.010, math.Abs(x)-0.030), ink)
			}
			paint(max(math.Abs(math.Hypot(x, (y-cy-0.17)*1.3)-smile-0.02)-0.014, cy+0.19-y), rgb{0.60, 0.24, 0.24})

			grain := 0.012 * noise(i, j, int(seed[12]))
			img.Set(i, j, c.add(grain).color())
		}
	}
	return img
}

const tileSize = 256

// mapTile returns a PNG of streets that fit together from tile to tile.
func mapTile(x, y int) []byte {
	img := image.NewPaletted(image.Rect(0, 0, tileSize, tileSize), color.Palette{
		color.RGBA{0xF2, 0xEF, 0xE9, 0xFF}, // ground
		color.RGBA{0xE6, 0xE1, 0xD8, 0xFF}, // blocks
		color.RGBA{0xFF, 0xFF, 0xFF, 0xFF}, // streets
		color.RGBA{0xFB, 0xDD, 0x9A, 0xFF}, // avenues
		color.RGBA{0xCB, 0xE3, 0xBE, 0xFF}, // parks
		color.RGBA{0xA9, 0xD3, 0xE6, 0xFF}, // river
	})
	for j := range tileSize {
		for i := range tileSize {
			// Within 2^12 pixels the sines below keep their precision.
			gx, gy := float64((x&15)*tileSize+i), float64((y&15)*tileSize+j)
			u := gx + 26*math.Sin(gy/151) + 9*math.Sin(gy/47)
			v := gy + 22*math.Sin(gx/173) - 8*math.Sin(gx/61)
			cell := noise(int(math.Floor(u/64)), int(math.Floor(v/48)), 7)
			ink := uint8(1)
			if cell > 0.72 {
				ink = 4
			}
			if inset(u, 64) < 7 || inset(v, 48) < 7 {
				ink = 0
			}
			if inset(u, 64) < 4 || inset(v, 48) < 4 {
				ink = 2
			}
			if inset(u+0.6*v, 410) < 7 || inset(v-0.3*u, 530) < 7 {
				ink = 3
			}
			if math.Abs(math.Mod(gy+0.35*gx+60*math.Sin(gx/240), 1400)-640) < 38 {
				ink = 5
			}
			img.SetColorIndex(i, j, ink)
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err) // writing to memory
	}
	return out.Bytes()
}

// inset is the distance to the nearest multiple of step.
func inset(v, step float64) float64 {
	m := math.Mod(v, step)
	if m < 0 {
		m += step
	}
	return math.Min(m, step-m)
}

// ellipse is the signed distance, nearly, to an ellipse about (cx, cy).
func ellipse(x, y, cx, cy, rx, ry float64) float64 {
	return (math.Hypot((x-cx)/rx, (y-cy)/ry) - 1) * math.Min(rx, ry)
}

// cover is the share of a pixel of width px that lies inside distance d.
func cover(d, px float64) float64 {
	return math.Max(0, math.Min(1, 0.5-d/px))
}

// noise is a fixed pseudo-random number from -1 to 1 for a point.
func noise(x, y, seed int) float64 {
	n := uint32(x)*374761393 + uint32(y)*668265263 + uint32(seed)*2246822519
	n = (n ^ n>>13) * 1274126177
	return float64(n^n>>16)/math.MaxUint32*2 - 1
}

type rgb [3]float64

func (c rgb) mix(with rgb, share float64) rgb {
	for i := range c {
		c[i] += (with[i] - c[i]) * share
	}
	return c
}

func (c rgb) times(f float64) rgb { return rgb{c[0] * f, c[1] * f, c[2] * f} }

func (c rgb) add(v float64) rgb { return rgb{c[0] + v, c[1] + v, c[2] + v} }

func (c rgb) color() color.RGBA {
	b := func(v float64) uint8 { return uint8(math.Max(0, math.Min(1, v))*255 + 0.5) }
	return color.RGBA{b(c[0]), b(c[1]), b(c[2]), 255}
}
