package volume

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	stdhash "hash"
	"regexp"
	"strings"
)

const (
	sha256Kind = "sha256"
	sha512Kind = "sha512"
)

// checksumPattern is what a checksum may be: the kinds in which distributions publish those of their images.
var checksumPattern = regexp.MustCompile(`^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$`)

// checksum is what an image's content must have.
type checksum struct {
	kind string
	sum  string // in hexadecimal
}

func parseChecksum(text string) (checksum, error) {
	if !checksumPattern.MatchString(text) {
		return checksum{}, fmt.Errorf("%q is no checksum. Write it as sha256:HEX or sha512:HEX", text)
	}

	kind, sum, _ := strings.Cut(text, ":")

	return checksum{kind: kind, sum: sum}, nil
}

// check compares it with that of what was read.
func (c checksum) check(read digest, what string) error {
	if got := read.sum(c.kind); got != c.sum {
		return fmt.Errorf("the image %s has the checksum %s:%s, and %s:%s was expected. Get the right image, or correct the checksum", what, c.kind, got, c.kind, c.sum)
	}

	return nil
}

// differs is errOther if what was read has another checksum.
func (c checksum) differs(read digest) error {
	if got := read.sum(c.kind); got != c.sum {
		return fmt.Errorf("%w: it has the checksum %s:%s, and the image %s:%s", errOther, c.kind, got, c.kind, c.sum)
	}

	return nil
}

// digest computes all kinds of checksums of what is written to it.
type digest map[string]stdhash.Hash

func newDigest() digest { return digest{sha256Kind: sha256.New(), sha512Kind: sha512.New()} }

func (d digest) Write(content []byte) (int, error) {
	for _, kind := range d {
		_, _ = kind.Write(content) // never fails
	}

	return len(content), nil
}

func (d digest) sum(kind string) string { return hex.EncodeToString(d[kind].Sum(nil)) }
