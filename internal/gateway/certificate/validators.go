package certificate

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// parse reads certificates in PEM, the server's own first.
func parse(text string) ([]*x509.Certificate, error) {
	var found []*x509.Certificate

	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, errors.New("it holds something else than certificates")
		}

		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d of it cannot be read: %w", len(found)+1, err)
		}
		found = append(found, certificate)
	}

	if len(found) == 0 {
		return nil, errors.New("it holds no certificate in PEM")
	}

	return found, nil
}

// equal says whether two texts hold the same certificates, however their lines end.
func equal(a, b string) bool {
	first, err := parse(a)
	second, other := parse(b)
	if err != nil || other != nil || len(first) != len(second) {
		return a == b
	}

	for i := range first {
		if !bytes.Equal(first[i].Raw, second[i].Raw) {
			return false
		}
	}

	return true
}

// chain accepts certificates in PEM.
type chain struct{}

func (chain) Description(context.Context) string { return "must be certificates in PEM" }

func (v chain) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (chain) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	// The text may hold the private key by mistake, so it is not repeated.
	if _, err := parse(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed certificate",
			fmt.Sprintf("The value is not a chain of certificates: %s. Give the certificates in PEM, the server's own first, for example by file(\"shop.pem\").", err))
	}
}

// privateKey accepts private keys in PEM, and never repeats them.
type privateKey struct{}

func (privateKey) Description(context.Context) string { return "must be a private key in PEM" }

func (v privateKey) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (privateKey) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	if block, _ := pem.Decode([]byte(req.ConfigValue.ValueString())); block == nil || !strings.HasSuffix(block.Type, "PRIVATE KEY") {
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed private key",
			"The value is not a private key in PEM. Give one that begins with -----BEGIN PRIVATE KEY----- and has no passphrase.")
	}
}

// fits says whether a key is the certificate's.
func fits(certificates, key string) bool {
	_, err := tls.X509KeyPair([]byte(certificates), []byte(key))

	return err == nil
}

var serverNamePattern = regexp.MustCompile(`^(\*\.)?[0-9a-z]([0-9a-z-]*[0-9a-z])?(\.[0-9a-z]([0-9a-z-]*[0-9a-z])?)*(\.\*)?$`)

// serverName accepts a host name with at most one wildcard, as the first or the last label.
type serverName struct{}

func (serverName) Description(context.Context) string { return "must be a server name" }

func (v serverName) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (serverName) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	const longest = 253

	name := req.ConfigValue.ValueString()
	wild := len(name) > 1 && name[0] == '*' && name[len(name)-1] == '*'
	if len(name) > longest || wild || !serverNamePattern.MatchString(name) {
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed server name",
			fmt.Sprintf("%q is not a server name. Write a host name in lower case and without a port, such as shop.example.com, with at most one \"*\" as its first or last label.", name))
	}
}

// keepEqual plans no change for another notation of the same certificates.
type keepEqual struct{}

func (keepEqual) Description(context.Context) string {
	return "Other line ends of the same certificates are no change."
}

func (k keepEqual) MarkdownDescription(ctx context.Context) string { return k.Description(ctx) }

func (keepEqual) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if !req.StateValue.IsNull() && !req.PlanValue.IsUnknown() && equal(req.StateValue.ValueString(), req.PlanValue.ValueString()) {
		resp.PlanValue = req.StateValue
	}
}
