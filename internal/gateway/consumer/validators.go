package consumer

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// publicKey accepts public keys in PEM.
type publicKey struct{}

func (publicKey) Description(context.Context) string { return "must be a public key in PEM" }

func (v publicKey) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (publicKey) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	block, _ := pem.Decode([]byte(req.ConfigValue.ValueString()))
	if block != nil {
		if _, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
			return
		}
		if _, err := x509.ParsePKCS1PublicKey(block.Bytes); err == nil {
			return
		}
	}

	// What is given here by mistake may be a private key, so it is not repeated.
	resp.Diagnostics.AddAttributeError(req.Path, "Malformed public key",
		"The value is not a public key in PEM. Write one that begins with -----BEGIN PUBLIC KEY-----, for example by file(\"issuer.pem\").")
}

// checkJWTs holds algorithms against what they need.
func checkJWTs(tokens map[string]jwtModel) (diags diag.Diagnostics) {
	for _, issuer := range slices.Sorted(maps.Keys(tokens)) {
		token := tokens[issuer]
		if token.Algorithm.IsUnknown() {
			continue
		}

		at := path.Root("jwt").AtMapKey(issuer)
		algorithm := token.Algorithm.ValueString()
		symmetric := algorithm == "" || strings.HasPrefix(algorithm, "HS")

		switch {
		case symmetric && token.SecretWO.IsNull():
			diags.AddAttributeError(at.AtName("secret_wo"), "Missing secret",
				fmt.Sprintf("Signatures of %q by %s are made with a secret. Set secret_wo.", issuer, name(algorithm)))
		case symmetric && set(token.PublicKey):
			diags.AddAttributeError(at.AtName("public_key"), "Needless public key",
				fmt.Sprintf("Signatures of %q by %s are checked with the secret. Leave public_key out, or choose another algorithm.", issuer, name(algorithm)))
		case !symmetric && token.PublicKey.IsNull():
			diags.AddAttributeError(at.AtName("public_key"), "Missing public key",
				fmt.Sprintf("Signatures of %q by %s are checked with a public key. Set public_key.", issuer, algorithm))
		case !symmetric && set(token.SecretWO):
			diags.AddAttributeError(at.AtName("secret_wo"), "Needless secret",
				fmt.Sprintf("Signatures of %q by %s are checked with the public key. Leave secret_wo out, or choose another algorithm.", issuer, algorithm))
		}
	}

	return diags
}

func name(algorithm string) string {
	if algorithm == "" {
		return hmacOfJWT
	}

	return algorithm
}

func set(value types.String) bool { return !value.IsNull() && !value.IsUnknown() }
