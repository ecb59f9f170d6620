package gateway

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Authority is a certificate that others are verified against.
type Authority struct {
	PEM    string // without what may stand around it, so that the same certificate is the same text
	Digest [sha256.Size]byte
	Parsed *x509.Certificate
}

// ParseAuthorities reads certificates in PEM, each once and in their order. Anything else in the text is an error: a
// private key does not belong here.
func ParseAuthorities(text string) (found []Authority, err error) {
	seen := map[[sha256.Size]byte]bool{}

	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("there is no PEM block in it")
		}

		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("it holds a %s", strings.ToLower(block.Type))
		}

		parsed, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}

		one := Authority{string(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})), sha256.Sum256(block.Bytes), parsed}
		if !seen[one.Digest] {
			found = append(found, one)
		}
		seen[one.Digest] = true

		if strings.TrimSpace(string(rest)) == "" {
			return found, nil
		}
	}
}

// SameAuthorities reports whether two texts hold the same certificates, in whatever order.
func SameAuthorities(a, b string) bool { return CanonicalAuthorities(a) == CanonicalAuthorities(b) }

// CanonicalAuthorities is the one text for the same certificates. A text that is not made of certificates stays as it is.
func CanonicalAuthorities(text string) string {
	found, err := ParseAuthorities(text)
	if err != nil {
		return text
	}

	texts := make([]string, 0, len(found))
	for _, one := range found {
		texts = append(texts, one.PEM)
	}
	slices.Sort(texts)

	return strings.Join(texts, "")
}
