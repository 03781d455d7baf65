package ohttp

import (
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

var curve = ecdh.X25519()

// Suite is a pair of numbers from RFC 9180: what derives keys, and what seals.
type Suite struct{ KDF, AEAD uint16 }

var ours = Suite{kdf, aead}

// KeyConfig is a key configuration, by which clients seal for a gateway.
type KeyConfig struct {
	ID     byte
	Public []byte // 32 bytes
	Suites []Suite
}

// errKEM is the error of a key configuration that may be sound, but not for us.
var errKEM = errors.New("is not the KEM known here, X25519 (0x0020)")

// ParseKeyConfig reads a key configuration.
func ParseKeyConfig(b []byte) (KeyConfig, error) {
	c, err := parseKeyConfig(b)
	if err != nil {
		return KeyConfig{}, fmt.Errorf("key configuration: %w", err)
	}
	return c, nil
}

func parseKeyConfig(b []byte) (KeyConfig, error) {
	if len(b) < 3 {
		return KeyConfig{}, fmt.Errorf("its %d bytes have no identifier and KEM", len(b))
	}
	if n := binary.BigEndian.Uint16(b[1:]); n != kem {
		return KeyConfig{}, fmt.Errorf("0x%04x %w", n, errKEM)
	}
	const start = 3 + publicSize + 2
	if len(b) < start {
		return KeyConfig{}, fmt.Errorf("its %d bytes end before the suites", len(b))
	}
	c := KeyConfig{ID: b[0], Public: slices.Clone(b[3 : 3+publicSize])}
	suites := b[start:]
	if n := int(binary.BigEndian.Uint16(b[start-2:])); n != len(suites) || n == 0 || n%4 != 0 {
		return KeyConfig{}, fmt.Errorf("says that its suites have %d bytes, which are not 4 each, and has %d", n, len(suites))
	}
	for s := range slices.Chunk(suites, 4) {
		c.Suites = append(c.Suites, Suite{binary.BigEndian.Uint16(s), binary.BigEndian.Uint16(s[2:])})
	}
	return c, nil
}

// Bytes writes a key configuration.
func (c KeyConfig) Bytes() []byte {
	b := binary.BigEndian.AppendUint16([]byte{c.ID}, kem)
	b = append(b, c.Public...)
	b = binary.BigEndian.AppendUint16(b, uint16(4*len(c.Suites)))
	for _, s := range c.Suites {
		b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, s.KDF), s.AEAD)
	}
	return b
}

func (c KeyConfig) usable() error {
	if !slices.Contains(c.Suites, ours) {
		return errors.New("key configuration: does not offer the suite known here, HKDF-SHA256 with AES-128-GCM")
	}
	return nil
}

// ParseKeyConfigs reads a list of key configurations (KeysType) and returns
// those whose KEM is known here, in their order: the gateway likes the first most.
func ParseKeyConfigs(b []byte) (configs []KeyConfig, err error) {
	for n := 1; len(b) > 0; n++ {
		if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
			return nil, fmt.Errorf("key configuration %d: the list ends before its end", n)
		}
		end := 2 + int(binary.BigEndian.Uint16(b))
		c, err := parseKeyConfig(b[2:end])
		if err != nil && !errors.Is(err, errKEM) {
			return nil, fmt.Errorf("key configuration %d: %w", n, err)
		}
		if err == nil {
			configs = append(configs, c)
		}
		b = b[end:]
	}
	return configs, nil
}

// FormatKeyConfigs writes a list of key configurations.
func FormatKeyConfigs(configs []KeyConfig) (b []byte) {
	for _, c := range configs {
		config := c.Bytes()
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(config))), config...)
	}
	return b
}

// Key is a key of a gateway.
type Key struct {
	id      byte
	private hpke.PrivateKey
}

// GenerateKey makes a key with this identifier.
func GenerateKey(id byte) (Key, error) {
	private, err := hpke.DHKEM(curve).GenerateKey()
	return Key{id, private}, err
}

// NewKey returns the key with this identifier and private key, 32 bytes.
func NewKey(id byte, private []byte) (Key, error) {
	k, err := hpke.DHKEM(curve).NewPrivateKey(private)
	if err != nil {
		return Key{}, fmt.Errorf("key of a gateway: %w", err)
	}
	return Key{id, k}, nil
}

// keyWord is how the text of a key begins, so that nobody takes it for another
// secret.
const keyWord = "ohttp-key"

// ParseKey reads what Text wrote, with a line end or without.
func ParseKey(text string) (Key, error) {
	words := strings.Split(strings.TrimSuffix(text, "\n"), " ")
	if len(words) != 3 || words[0] != keyWord {
		return Key{}, errors.New(`is not a key made by "paravent key new -gateway"`)
	}
	id, err := strconv.ParseUint(words[1], 10, 8)
	if err != nil || strconv.FormatUint(id, 10) != words[1] {
		return Key{}, errors.New("the identifier of the key is not a number from 0 to 255")
	}
	private, err := base64.StdEncoding.DecodeString(words[2])
	if err != nil {
		return Key{}, errors.New("the key is not in base64")
	}
	return NewKey(byte(id), private)
}

// Text is the secret key as a line of text:
//
//	ohttp-key 7 PBaJdWdLL6jkZZcLecjc8J8cdBYmSAvUxhYvxbapjho=
func (k Key) Text() (string, error) {
	private, err := k.private.Bytes()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %d %s", keyWord, k.id, base64.StdEncoding.EncodeToString(private)), nil
}

// Config is what clients need to know of the key.
func (k Key) Config() KeyConfig {
	return KeyConfig{k.id, k.private.PublicKey().Bytes(), []Suite{ours}}
}

// Keys are all keys that a gateway opens requests with. They do not change, so
// they may be used by many goroutines.
type Keys struct{ byID map[byte]Key }

// NewKeys puts keys together. Each needs an identifier of its own.
func NewKeys(keys ...Key) (*Keys, error) {
	all := &Keys{make(map[byte]Key)}
	for _, k := range keys {
		if _, taken := all.byID[k.id]; taken {
			return nil, fmt.Errorf("two keys have the identifier %d: clients of one would get no answer; make a new key in the other's place", k.id)
		}
		all.byID[k.id] = k
	}
	return all, nil
}

// ReadKeys reads all keys in a folder: the files whose names end in ".key".
func ReadKeys(dir string) (*Keys, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var keys []Key
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".key") {
			continue
		}
		path := filepath.Join(dir, f.Name())
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		k, err := ParseKey(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: has no key in it: make one with \"paravent key new -gateway NAME %s\"", dir, dir)
	}
	all, err := NewKeys(keys...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return all, nil
}

// Configs are the key configurations of all keys, by their identifiers.
func (k *Keys) Configs() (configs []KeyConfig) {
	for _, key := range k.byID {
		configs = append(configs, key.Config())
	}
	slices.SortFunc(configs, func(a, b KeyConfig) int { return int(a.ID) - int(b.ID) })
	return configs
}
