package upstream

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

// certificateValidator accepts certificates in PEM and nothing else: a private key does not belong here.
type certificateValidator struct{}

func (certificateValidator) Description(context.Context) string { return "must be certificates in PEM" }

func (v certificateValidator) MarkdownDescription(ctx context.Context) string {
	return v.Description(ctx)
}

func (certificateValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}

	if err := checkCertificates(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Malformed certificate",
			fmt.Sprintf("The text is not made of certificates: %s. Give it as file(\"ca.pem\") reads it, with its BEGIN and END lines.", err))
	}
}

func checkCertificates(text string) error {
	rest := []byte(text)

	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return errors.New("there is no PEM block in it")
		}

		if block.Type != "CERTIFICATE" {
			return fmt.Errorf("it holds a %s", strings.ToLower(block.Type))
		}

		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return err
		}

		if len(strings.TrimSpace(string(rest))) == 0 {
			return nil
		}
	}
}
