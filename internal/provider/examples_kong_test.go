package provider_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong/kongtest"
)

// onKong are the examples that Traefik cannot do.
var onKong = []string{"resources/gateway_consumer", "resources/gateway_certificate"}

// kongFor overrides the gateway of the test bed where an example needs Kong.
func kongFor(t *testing.T, folder string) string {
	t.Helper()

	if !slices.Contains(onKong, folder) {
		return ""
	}

	return fmt.Sprintf("provider \"hypervisor\" {\n  gateway = { kong = { admin_url = %q } }\n}\n", kongtest.New(t).URL)
}

// secrets returns what the example's variable "secret" is to be, and puts beside the example what belongs to it.
func secrets(t *testing.T, folder, into string) (secret string, needed bool) {
	t.Helper()

	switch folder {
	case "resources/gateway_plugin":
		return "ann:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/", true
	case "resources/gateway_consumer":
		return "a secret that nobody guesses", true
	case "resources/gateway_certificate":
	default:
		return "", false
	}

	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}

	template := x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().AddDate(1, 0, 0)}

	raw, err := x509.CreateCertificate(rand.Reader, &template, &template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}

	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}

	write(t, filepath.Join(into, "shop.example.com.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})))

	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})), true
}
