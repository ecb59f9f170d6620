package gateway_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/gateway"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
)

// untold checks that a secret is in no plan and no state.
type untold []string

func (secrets untold) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	resp.Error = secrets.in(req.Plan.ResourceChanges, req.Plan.PlannedValues, req.Plan.PriorState, req.Plan.ResourceDrift)
}

func (secrets untold) CheckState(_ context.Context, req statecheck.CheckStateRequest, resp *statecheck.CheckStateResponse) {
	resp.Error = secrets.in(req.State)
}

func (secrets untold) in(parts ...any) error {
	for _, part := range parts {
		text, err := json.Marshal(part)
		if err != nil {
			return err
		}

		for _, secret := range secrets {
			encoded, err := json.Marshal(secret)
			if err != nil {
				return err
			}
			if strings.Contains(string(text), strings.Trim(string(encoded), `"`)) {
				return fmt.Errorf("a %T tells a secret", part)
			}
		}
	}

	return nil
}

// untold adds the checks to a step.
func (secrets untold) step(step resource.TestStep) resource.TestStep {
	step.ConfigPlanChecks.PreApply = append(step.ConfigPlanChecks.PreApply, secrets)
	step.ConfigStateChecks = append(step.ConfigStateChecks, secrets)

	return step
}

func action(address string, action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, action)}}
}

func TestConsumerLivesOnKong(t *testing.T) {
	on := kongEngine(t)
	secrets := untold{"s3cret-one", "s3cret-two", "s3cret-three", "s3cret-four"}
	config := func(attributes string) string {
		return on.block + "resource \"gateway_consumer\" \"ann\" {\n  provider = hypervisor\n  name = \"ann\"\n" + attributes + "\n}\n"
	}
	first := config(`
  groups     = ["gold", "staff"]
  keys       = { laptop = { key_wo = "s3cret-one", key_wo_version = 1 } }
  basic_auth = { ann = { password_wo = "s3cret-two", password_wo_version = 1 } }
  hmac_auth  = { ann = { secret_wo = "s3cret-three", secret_wo_version = 3 } }
  jwt        = { ann = { secret_wo = "s3cret-three", secret_wo_version = 1 } }`)
	second := config(`
  custom_id = "a-1"
  groups    = ["gold"]
  keys      = { laptop = { key_wo = "s3cret-four", key_wo_version = 2 }, phone = { key_wo = "s3cret-one", key_wo_version = 1 } }`)

	const address = "gateway_consumer.ann"
	imported := resource.TestStep{ResourceName: address, ImportState: true, ImportStateId: "ann", ImportStateVerify: true}

	run(t,
		secrets.step(resource.TestStep{Config: first}),
		imported,
		secrets.step(resource.TestStep{Config: second, ConfigPlanChecks: action(address, plancheck.ResourceActionUpdate)}),
		imported,
		resource.TestStep{
			PreConfig: func() { on.admin(t, http.MethodDelete, "/consumers/ann/acls/gold", ""); on.key(t, "s3cret-four") },
			Config:    second, ConfigPlanChecks: action(address, plancheck.ResourceActionUpdate),
		},
		resource.TestStep{
			PreConfig: func() {
				on.key(t, "s3cret-four")
				on.admin(t, http.MethodPost, "/consumers/ann/key-auth", `{"key": "theirs"}`)
				on.admin(t, http.MethodDelete, "/consumers/ann/key-auth/s3cret-one", "")
			},
			Config: second, ConfigPlanChecks: action(address, plancheck.ResourceActionUpdate),
		},
		resource.TestStep{
			PreConfig: func() {
				on.key(t, "theirs")
				must(t, on.fresh().DeleteConsumer(t.Context(), gateway.Record{Name: "ann"}))
			},
			Config: second, ConfigPlanChecks: action(address, plancheck.ResourceActionCreate),
		},
		resource.TestStep{Config: on.block + "# nothing is left to manage"},
	)

	if _, err := on.fresh().Consumer(t.Context(), "ann"); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("after destroy, reading the consumer gives %v, not ErrNotFound", err)
	}
}

// key fails the test unless Kong takes the key for the consumer's.
func (e engine) key(t *testing.T, key string) {
	e.admin(t, http.MethodGet, "/consumers/ann/key-auth/"+key, "")
}

// admin asks Kong's Admin API itself, and returns what it answers.
func (e engine) admin(t *testing.T, method, path, body string) string {
	t.Helper()

	request, err := http.NewRequestWithContext(t.Context(), method, e.url+path, strings.NewReader(body))
	must(t, err)
	request.Header.Set("Content-Type", "application/json")

	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer response.Body.Close()

	if response.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("%s %s is answered %s", method, path, response.Status)
	}

	answer, err := io.ReadAll(response.Body)
	must(t, err)

	return string(answer)
}

// TestConsumerWhoseMakerWasKilledIsCompleted has what a run leaves that was killed before the first credential, and what another
// state has made in full.
func TestConsumerWhoseMakerWasKilledIsCompleted(t *testing.T) {
	on := kongEngine(t)
	config := on.block + "resource \"gateway_consumer\" \"ann\" {\n  provider = hypervisor\n  name = \"ann\"\n" +
		"  keys = { laptop = { key_wo = \"s3cret\", key_wo_version = 1 } }\n}\n"

	on.admin(t, http.MethodPost, "/consumers", `{"username": "ann", "tags": ["managed-by:terraform-provider-hypervisor"]}`)
	run(t, resource.TestStep{Config: config, ExpectError: message(`Unable to create gateway consumer "ann"`, "of this name already")})
	on.admin(t, http.MethodPatch, "/consumers/ann", `{"tags": ["managed-by:terraform-provider-hypervisor", "incomplete"]}`)
	run(t,
		resource.TestStep{Config: config},
		resource.TestStep{PreConfig: func() {
			on.key(t, "s3cret")

			if consumer, err := on.fresh().Consumer(t.Context(), "ann"); err != nil || consumer.Partial {
				t.Errorf("the consumer is still marked as incomplete, or cannot be read: %v", err)
			}
		}, Config: config, PlanOnly: true},
	)
}

func TestCertificateLivesOnKong(t *testing.T) {
	on := kongEngine(t)
	shop, key := newCertificate(t, "shop.test", time.Hour)
	other, otherKey := newCertificate(t, "other.test", 1000*time.Hour)
	secrets := untold{key, otherKey}
	config := func(certificate, key string, version int, names string) string {
		return on.block + fmt.Sprintf("resource \"gateway_certificate\" \"shop\" {\n  provider = hypervisor\n  name = \"shop\"\n  certificate = %q\n"+
			"  private_key_wo = %q\n  private_key_wo_version = %d\n  snis = %s\n}\n", certificate, key, version, names)
	}
	first := config(shop, key, 1, `["shop.test"]`)
	second := config(strings.ReplaceAll(other, "\n", "\r\n"), otherKey, 2, `["*.shop.test", "www.test"]`)

	const address = "gateway_certificate.shop"
	imported := resource.TestStep{ResourceName: address, ImportState: true, ImportStateId: "shop", ImportStateVerify: true}

	run(t,
		secrets.step(resource.TestStep{Config: first}),
		imported,
		secrets.step(resource.TestStep{Config: second, ConfigPlanChecks: action(address, plancheck.ResourceActionUpdate)}),
		imported,
		resource.TestStep{Config: config(other, otherKey, 2, `["*.shop.test", "www.test"]`), PlanOnly: true}, // only its line ends differ
		resource.TestStep{
			PreConfig: func() { on.admin(t, http.MethodDelete, "/snis/www.test", "") },
			Config:    second, ConfigPlanChecks: action(address, plancheck.ResourceActionUpdate),
		},
		resource.TestStep{
			PreConfig: func() { on.admin(t, http.MethodDelete, "/certificates/www.test", "") },
			Config:    second, ConfigPlanChecks: action(address, plancheck.ResourceActionCreate),
		},
		resource.TestStep{
			Config:      second + strings.ReplaceAll(config(shop, key, 1, `["www.test"]`)[len(on.block):], `"shop"`, `"again"`),
			ExpectError: message(`Unable to create gateway certificate "again"`, "snis", "www.test already associated"),
		},
		resource.TestStep{Config: on.block + "# nothing is left to manage"},
	)

	if _, err := on.fresh().Certificate(t.Context(), "shop"); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("after destroy, reading the certificate gives %v, not ErrNotFound", err)
	}
}

// newCertificate makes a self-signed certificate for a name, and its key.
func newCertificate(t *testing.T, name string, life time.Duration) (certificate, key string) {
	t.Helper()

	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)

	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(life),
	}
	raw, err := x509.CreateCertificate(rand.Reader, &template, &template, &private.PublicKey, private)
	must(t, err)
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)

	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}))
}
