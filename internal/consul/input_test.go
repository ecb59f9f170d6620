package consul_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// refused plans all resources of a type at once, since Terraform reports all errors of a plan, and wants the words in those
// of each.
func refused(t *testing.T, kind, rest string, all map[string]map[string]string) {
	t.Helper()

	var (
		config strings.Builder
		wants  []string
	)

	for _, attribute := range slices.Sorted(maps.Keys(all)) {
		for _, lines := range slices.Sorted(maps.Keys(all[attribute])) {
			name := rest
			if !strings.HasPrefix(lines, "name ") {
				name += "\nname = \"up\""
			}

			fmt.Fprintf(&config, "resource %q \"wrong%d\" {\nprovider = hypervisor\n%s\n%s\n}\n", kind, len(wants), name, lines)
			wants = append(wants, all[attribute][lines])
		}
	}

	reported := false

	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(consulServer.Address()),
		Steps:                    []resource.TestStep{{Config: config.String(), PlanOnly: true}},
		ErrorCheck: func(err error) error {
			reported = true
			reports := strings.Split(regexp.MustCompile(`[\s│╷╵]+`).ReplaceAllString(err.Error(), " "), "Error: ")

			for number, want := range wants {
				own := ""
				for _, report := range reports {
					if strings.Contains(report, fmt.Sprintf("with %s.wrong%d,", kind, number)) {
						own += report
					}
				}

				if !strings.Contains(own, want) {
					t.Errorf("wrong%d: the plan says %q, and not %q", number, own, want)
				}
			}

			return nil
		},
	})

	if !reported {
		t.Error("nothing was refused")
	}
}

// checkWith is a check of these lines.
func checkWith(lines string) string { return "checks = { web = { " + lines + " } }" }

// TestEveryAttributeOfAServiceIsCheckedInThePlan has those that TestBadInputIsRefusedAtPlanTimeWithItsPlace leaves out.
func TestEveryAttributeOfAServiceIsCheckedInThePlan(t *testing.T) {
	refused(t, "consul_service", "", map[string]map[string]string{
		"address": {
			`address = ""`:            "string length must be at least 1",
			`address = "10.0.0.1 "`:   "must be an IP address or a host name",
			`address = "http://host"`: "must be an IP address or a host name",
			`address = "0.0.0.0"`:     "none of",
		},
		"node":             {`node = "a/b"`: "neither slashes nor spaces"},
		"namespace":        {`namespace = "a b"`: "must be the name of a namespace"},
		"partition":        {`partition = "a/b"`: "must be the name of a partition"},
		"tagged_addresses": {`tagged_addresses = {}`: "at least 1", `tagged_addresses = { lan = { address = "" } }`: "at least 1", `tagged_addresses = { lan = { address = "10.0.0.1", port = 0 } }`: "between 1 and 65535"},
		"tags":             {`tags = [""]`: "string length must be at least 1"},
		"meta":             {`meta = { managed-by = "me" }`: "Reserved meta data", `meta = { a = join("", [for i in range(513) : "x"]) }`: "at most 512"},
		"weights":          {`weights = { passing = 0 }`: "between 1 and 65535", `weights = { warning = 65536 }`: "between 0 and 65535"},
		"drain":            {`drain = "soon"`: "Malformed duration", `drain = "0s"`: "Duration too short"},
		"wait_for_passing": {"wait_for_passing = \"0s\"\n" + checkWith(`ttl = "1s"`): "Duration too short"},
		"checks": {
			checkWith(`udp = "host"`):                                               "Malformed target",
			checkWith(`grpc = "host/shop"`):                                         "Malformed target",
			checkWith(`h2ping = "host"`):                                            "Malformed target",
			checkWith(`ttl = "1ms"`):                                                "Duration too short",
			checkWith(`script = []`):                                                "at least 1",
			checkWith(`os_service = ""`):                                            "at least 1",
			checkWith(`alias = { service = "" }`):                                   "at least 1",
			checkWith(`alias = { node = "" }`):                                      "at least 1",
			checkWith(`script = ["x"], docker = { container = "c", shell = "" }`):   "at least 1",
			checkWith(`tcp = "h:1", thresholds = { passing = -1 }`):                 "between 0 and 1000",
			checkWith(`tcp = "h:1", thresholds = { warning = 1001 }`):               "between 0 and 1000",
			checkWith(`script = ["x"], docker = { container = "" }`):                "at least 1",
			checkWith(`http = "http://h/", request = { method = "get" }`):           "in capitals",
			checkWith(`http = "http://h/", request = { headers = {} }`):             "at least 1",
			checkWith(`http = "http://h/", request = { body = "" }`):                "at least 1",
			checkWith(`http = "http://h/", request = { headers = { Cookie = "" }}`): "secret",
			checkWith(`http = "https://h/", tls = { server_name = "" }`):            "at least 1",
			checkWith(`tcp = "h:1", thresholds = { critical = 1001 }`):              "between 0 and 1000",
			checkWith(`tcp = "h:1", timeout = "0s"`):                                "Duration too short",
		},
	})
}

func TestEveryAttributeOfANodeIsCheckedInThePlan(t *testing.T) {
	address := "address = \"10.0.0.1\"\n"

	refused(t, "consul_node", "", map[string]map[string]string{
		"address": {
			`address = ""`:          "string length must be at least 1",
			`address = "10.0.0.1/"`: "must be an IP address or a host name",
			`address = "::"`:        "none of",
		},
		"partition":        {address + `partition = "a b"`: "must be the name of a partition"},
		"tagged_addresses": {address + `tagged_addresses = {}`: "at least 1", address + `tagged_addresses = { wan = "" }`: "at least 1"},
		"meta":             {address + `meta = { managed-by = "me" }`: "Reserved meta data"},
		"checks":           {address + checkWith(`http = "h"`): "Malformed URL", address + `checks = { "A B" = { tcp = "h:1" } }`: "lower-case letters"},
	})
}
