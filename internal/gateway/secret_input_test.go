package gateway_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/kong/kongtest"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// refused plans a configuration and wants all of the texts in what is said against it, and none of the untold ones.
func refused(t *testing.T, config string, wanted, untold []string) {
	t.Helper()

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"hypervisor": providerserver.NewProtocol6WithError(provider.New("test")()),
		},
		ErrorCheck: func(err error) error {
			said := strings.Join(strings.Fields(err.Error()), " ")
			for _, text := range wanted {
				if !strings.Contains(said, strings.Join(strings.Fields(text), " ")) {
					return fmt.Errorf("nobody says %q: %w", text, err)
				}
			}
			for _, text := range untold {
				if strings.Contains(said, text) {
					return errors.New("a secret is told")
				}
			}

			return nil
		},
		Steps: []resource.TestStep{{Config: config, PlanOnly: true}},
	})
}

// secret declares a variable, since Terraform repeats the lines of a configuration.
func secret(value string) string {
	return fmt.Sprintf("variable \"secret\" {\n  default = %q\n  ephemeral = true\n}\n", value)
}

// declare writes resources of a type, one for each of the attributes' texts.
func declare(kind string, all ...string) string {
	var text strings.Builder
	for i, attributes := range all {
		fmt.Fprintf(&text, "resource %q \"r%d\" {\n  provider = hypervisor\n%s\n}\n", kind, i, attributes)
	}

	return text.String()
}

const kongNowhere = "provider \"hypervisor\" {\n  gateway = { kong = { admin_url = \"http://127.0.0.1:1\" } }\n}\n"

func TestMalformedPluginsConsumersAndCertificatesAreRefusedInThePlan(t *testing.T) {
	certificate, _ := newCertificate(t, "shop.test", time.Hour)
	shop := fmt.Sprintf("  certificate = %q\n  private_key_wo_version = 1\n", certificate)

	refused(t, kongNowhere+secret("hunter2")+
		declare("gateway_plugin",
			`  name = "Limit"
  type = ""
  upstream = "UP"
  config = "minute = 5"`,
			`  name = "b"
  type = "cors"
  route = "a/b"
  consumer = ""
  config_wo = { secret = var.secret }`,
			`  name = "c"
  type = "cors"
  config_wo_version = 1`,
			`  name = "d"
  type = "cors"
  config_wo = { secret = var.secret }
  config_wo_version = 0`)+
		declare("gateway_consumer",
			`  name = ""
  custom_id = ""
  groups = []
  keys = { "a,b" = { key_wo = "k", key_wo_version = 1 } }`,
			`  name = "c"
  keys = { a = { key_wo = "", key_wo_version = 0 } }`,
			`  name = "b"
  basic_auth = {}
  jwt = { iss = { algorithm = "none", public_key = "none", secret_wo_version = 1 } }`)+
		declare("gateway_certificate",
			`  name = "Shop"
  certificate = "none"
  private_key_wo = "none"
  private_key_wo_version = 0
  snis = ["https://shop.test", "*.*"]`,
			"  name = \"b\"\n"+shop+"  private_key_wo = var.secret\n  snis = []"),
		[]string{
			`Attribute name must consist`, `Attribute type string length must be between 1 and 100`, `Attribute upstream must consist`,
			`Write them in braces`, `Attribute route must consist`, `Attribute consumer string length`, `config_wo is in no state`, `Set config_wo_version`,
			`Attribute "config_wo" must be specified when "config_wo_version" is specified`, `config_wo_version value must be at least 1`,
			`custom_id string length`, `groups set must contain at least 1`, `printable characters without commas`, `keys["a"].key_wo string length`,
			`key_wo_version value must be at least 1`, `basic_auth map must contain at least 1`, `value must be one of: ["HS256"`, `Malformed public key`,
			`Malformed certificate`, `it holds no certificate in PEM`, `Malformed private key`, `private_key_wo_version value must be at least 1`,
			`"https://shop.test" is not a server name`, `"*.*" is not a server name`, `snis set must contain at least 1`,
		},
		[]string{"hunter2"},
	)
}

func TestWhatOnlyThePlanKnowsIsRefusedThere(t *testing.T) {
	certificate, _ := newCertificate(t, "shop.test", time.Hour)
	_, otherKey := newCertificate(t, "other.test", time.Hour)
	kong := fmt.Sprintf("provider \"hypervisor\" {\n  gateway = { kong = { admin_url = %q } }\n}\n", kongtest.New(t).URL)

	t.Run("Kong", func(t *testing.T) {
		refused(t, kong+secret(otherKey)+
			declare("gateway_plugin",
				"  name = \"a\"\n  type = \"rate-limiting\"\n  config = { minute = \"x\", policy = \"zz\", redis = { port = 99999 } }",
				"  name = \"b\"\n  type = \"nope\"",
				"  name = \"c\"\n  type = \"key-auth\"\n  consumer = \"ann\"",
				"  name = \"d\"\n  type = \"ip-restriction\"\n  config_wo = { allow = [var.secret] }\n  config_wo_version = 1",
				"  name = \"e\"\n  type = \"cors\"\n  config = { bogus = 1, origins = [terraform_data.later.id] }")+
			"resource \"terraform_data\" \"later\" {}\n"+
			declare("gateway_consumer", "  name = \"a\"\n  jwt = { one = { secret_wo_version = 1 }, two = { algorithm = \"RS256\", secret_wo = \"s\", secret_wo_version = 1 } }")+
			declare("gateway_certificate", fmt.Sprintf("  name = \"a\"\n  certificate = %q\n  private_key_wo = var.secret\n  private_key_wo_version = 1\n  snis = [\"a.test\"]", certificate)),
			[]string{
				`Unable to plan gateway plugin "a"`, `Setting minute: expected a number`, `Setting policy: expected one of: local, cluster, redis`, `Setting redis.port: value should be between 0 and 65535`,
				`Plugin 'nope' not enabled`, `Unable to plan gateway plugin "c"`, `Value must be null`, `Unable to plan gateway plugin "d"`, `not repeated here`,
				`Setting bogus: unknown field`, `Signatures of "one" by HS256 are made with a secret`, `Signatures of "two" by RS256 are checked with a public key`, `Foreign private key`,
			},
			[]string{strings.TrimSpace(strings.Split(otherKey, "\n")[1])},
		)
	})

	t.Run("Kong without a database", func(t *testing.T) {
		readOnly := fmt.Sprintf("provider \"hypervisor\" {\n  gateway = { kong = { admin_url = %q } }\n}\n", kongtest.New(t, kongtest.WithoutDatabase()).URL)
		refused(t, readOnly+hcl(`targets = { "10.0.0.1:80" = {} }`, `paths = ["/"]`),
			[]string{`Unable to plan gateway upstream "up"`, `runs without a database`, `database = postgres`}, nil)
	})

	t.Run("Traefik", func(t *testing.T) {
		refused(t, "provider \"hypervisor\" {\n  gateway = { traefik = {} }\n}\n"+
			declare("gateway_plugin", "  name = \"a\"\n  type = \"rateLimit\"\n  consumer = \"ann\"\n  config = { minute = 1 }")+
			declare("gateway_consumer", "  name = \"a\"")+
			declare("gateway_certificate", fmt.Sprintf("  name = \"a\"\n  certificate = %q\n  private_key_wo = %q\n  private_key_wo_version = 1\n  snis = [\"a.test\"]", certificate, otherKey)),
			[]string{
				`Setting minute: There is no such setting`, `needs a value for average`, `Traefik has no consumers`, `config_wo = { users`, `in the clear`,
			}, nil)
	})
}
