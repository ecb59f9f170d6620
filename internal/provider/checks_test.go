package provider_test

import (
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// wantResolved waits until Consul's DNS answers with just these machines.
func (s *stack) wantResolved(t *testing.T, want ...string) {
	t.Helper()

	addresses := make([]string, len(want))
	for i, machine := range want {
		addresses[i] = s.address(machine)
	}

	slices.Sort(addresses)

	eventually(t, func() error {
		question := new(dns.Msg).SetQuestion("up.service.consul.", dns.TypeA)

		answer, _, err := new(dns.Client).ExchangeContext(t.Context(), question, s.consul.DNS())
		if err != nil {
			return err
		}

		var got []string

		for _, record := range answer.Answer {
			if a, ok := record.(*dns.A); ok {
				got = append(got, a.A.String())
			}
		}

		if slices.Sort(got); !slices.Equal(got, addresses) {
			return fmt.Errorf("up.service.consul is %v, want %v", got, addresses)
		}

		return nil
	})
}

// wantAnswers waits until twenty requests through the gateway are spread evenly over just these machines. It takes more
// than one try if the gateway has yet to hear of a change, or a check of a busy machine comes too late.
func (s *stack) wantAnswers(t *testing.T, want ...string) {
	t.Helper()

	even := map[string]int{}
	for _, machine := range want {
		even[machine] = 20 / len(want)
	}

	eventually(t, func() error {
		counts := map[string]int{}

		for range 20 {
			machine, err := s.ask(t.Context())
			if err != nil {
				return err
			}

			counts[machine]++
		}

		if !maps.Equal(counts, even) {
			return fmt.Errorf("20 requests were answered as %v, want them as %v", counts, even)
		}

		return nil
	})
}

// virsh runs one command on a host.
func (s *stack) virsh(t *testing.T, host string, arguments ...string) string {
	t.Helper()

	output, err := exec.CommandContext(t.Context(), "virsh", append([]string{"-q", "-c", s.hosts[host].URI()}, arguments...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("virsh %v on %s: %v\n%s", arguments, host, err, output)
	}

	return strings.TrimSpace(string(output))
}

// wantNothingLeft checks that neither hosts nor Consul have anything of ours.
func (s *stack) wantNothingLeft(t *testing.T) {
	t.Helper()

	for name := range s.hosts {
		if left := s.virsh(t, name, "list", "--all", "--name"); left != "" {
			t.Errorf("%s has the machines %s left", name, left)
		}

		s.virsh(t, name, "pool-refresh", "default")

		if left := s.virsh(t, name, "vol-list", "default"); left != "" {
			t.Errorf("%s has the volumes %s left", name, left)
		}
	}

	services, _, err := s.catalog.Catalog().Services(nil)
	if err != nil {
		t.Fatal(err)
	}

	if delete(services, "consul"); len(services) > 0 {
		t.Errorf("Consul has the services %v left", services)
	}

	keys, _, err := s.catalog.KV().Keys("", "", nil)
	if err != nil {
		t.Fatal(err)
	}

	if len(keys) > 0 {
		t.Errorf("Consul has the keys %v left", keys)
	}
}
