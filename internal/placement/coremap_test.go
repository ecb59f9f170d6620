package placement

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/topology"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()

	path := filepath.Join("testdata", name)

	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}

		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}

	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("the golden file is missing; write it with -update: %v", err)
	}

	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

func TestCoreMapsAreAsReviewed(t *testing.T) {
	for _, count := range []int{1, 2, 20} {
		f := shop(count)
		golden(t, fmt.Sprintf("coremap-%d.txt", count), CoreMap(f.fleet, f.result))
		golden(t, fmt.Sprintf("coremap-%d.svg", count), CoreMapSVG(f.fleet, f.result))
	}
}

// changed returns the lines that only one of the texts has.
func changed(before, after string) []string {
	old, now := strings.Split(before, "\n"), strings.Split(after, "\n")
	lines := slices.DeleteFunc(slices.Clone(old), func(line string) bool { return slices.Contains(now, line) })

	return append(lines, slices.DeleteFunc(now, func(line string) bool { return slices.Contains(old, line) })...)
}

// foreign returns the lines that are neither the totals of the host nor about a core, or node, that has one of the CPUs.
func foreign(lines []string, host Host, pins []int, wholeNodes bool) []string {
	own := []string{host.Name + ": "}

	for _, node := range host.Nodes {
		for _, core := range node.Cores {
			switch {
			case core.Threads.Intersect(topology.NewCPUSet(pins...)).IsEmpty():
			case wholeNodes:
				own = append(own, fmt.Sprintf("  %s node %d: ", host.Name, node.ID))
			default:
				own = append(own, fmt.Sprintf("  %s node %d cpu %s ", host.Name, node.ID, core.Threads))
			}
		}
	}

	return slices.DeleteFunc(lines, func(line string) bool {
		return slices.ContainsFunc(own, func(start string) bool { return strings.HasPrefix(line, start) })
	})
}

func TestOneMachineChangesNoLinesButItsOwn(t *testing.T) {
	for _, test := range []struct {
		hosts, machines int
		wholeNodes      bool
	}{{1, 40, false}, {7, 150, false}, {33, 200, true}} {
		random := rand.New(rand.NewPCG(3, uint64(test.hosts)))

		hosts := make([]Host, test.hosts)
		for i := range hosts {
			hosts[i] = twoSockets(fmt.Sprintf("host-%d", i))
		}

		f, added := fill(hosts...), 0

		for i := range test.machines {
			before := CoreMap(f.fleet, f.result)
			host := random.IntN(test.hosts)
			machine := Machine{
				Name: strings.Repeat("m", 1+random.IntN(40)) + fmt.Sprint(i), VCPUs: 1 + random.IntN(9), Threads: random.IntN(3) == 0,
			}

			if !f.add(host, machine) {
				continue
			}

			added++
			lines := changed(before, CoreMap(f.fleet, f.result))

			if len(lines) < 3 { // a core's or node's line anew, and the totals of before and after
				t.Fatalf("%s does not show: %q", machine.Name, lines)
			}

			pins := f.result.Assignments[machine.Name].Pins
			if diff := foreign(lines, hosts[host], pins, test.wholeNodes); len(diff) > 0 {
				t.Fatalf("%s on CPUs %v of %s changed lines of others: %q", machine.Name, pins, hosts[host].Name, diff)
			}
		}

		if added < 10 {
			t.Fatalf("only %d machines of %d found room", added, test.machines)
		}
	}
}

func TestOneHostChangesNoLinesOfOthers(t *testing.T) {
	f := shop(3)
	before := CoreMap(f.fleet, f.result)

	large := twoSockets("a-host-whose-name-is-longer-than-all-others")
	large.Nodes[0].ID = 100
	f.fleet.Hosts = append(f.fleet.Hosts, large)

	if after := CoreMap(f.fleet, f.result); !strings.HasSuffix(after, before) || after == before {
		t.Errorf("the lines of the other hosts changed: %q", changed(before, after))
	}
}

func TestLinesOfCoreMapsSurviveAnyLog(t *testing.T) {
	f := shop(20)
	f.fleet.Hosts[4].Name = "hôte 4"
	f.fleet.Machines[0].Name = "naïve"
	f.result.Assignments["naïve"] = f.result.Assignments["web-1"]
	delete(f.result.Assignments, "web-1")

	text := CoreMap(f.fleet, f.result)
	seen := map[string]bool{}

	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if line != strings.TrimRight(line, " ") {
			t.Errorf("the line ends in spaces: %q", line)
		}

		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("the line is not printable ASCII: %q", line)
		}

		if seen[line] {
			t.Errorf("the line is there twice, so that a comparison may take one for the other: %q", line)
		}

		seen[line] = true
	}

	if want := 20 + 20*32 + 1; len(seen) != want {
		t.Errorf("got %d lines, want one for each host, core and node without cores: %d", len(seen), want)
	}
}

func TestMapsDependOnWhatIsPlacedAlone(t *testing.T) {
	grouped, groupless := shop(5), shop(5)
	for i := range groupless.fleet.Machines {
		groupless.fleet.Machines[i].Group = ""
	}

	for _, f := range []*filled{grouped, groupless} {
		text, picture := CoreMap(f.fleet, f.result), CoreMapSVG(f.fleet, f.result)

		// An apply turns assignments into what is held, and forgets the moves.
		f.fleet.Held, f.fleet.MayMove, f.fleet.Rebalance = f.result.Assignments, true, true
		f.result.Moves = []Move{{Machine: "web-1", Reason: "rack-a01 is draining"}}

		slices.Reverse(f.fleet.Machines)
		slices.Reverse(f.fleet.Hosts)

		for range 20 { // assignments are ranged over in another order each time
			if diff := cmp.Diff(text, CoreMap(f.fleet, f.result)); diff != "" {
				t.Fatalf("the core map depends on more (-first +now):\n%s", diff)
			}

			if diff := cmp.Diff(picture, CoreMapSVG(f.fleet, f.result)); diff != "" {
				t.Fatalf("the picture depends on more (-first +now):\n%s", diff)
			}
		}
	}
}

func TestNamesCannotPassForAnythingElse(t *testing.T) {
	for name, want := range map[string]string{
		"web-1":                      "web-1",
		"Web_1.example":              "Web_1.example",
		"(free)":                     `"(free)"`,
		"a + b":                      `"a + b"`,
		"":                           `""`,
		"-":                          `"-"`,
		"x\n  a node 0 cpu 1  web-1": `"x\n  a node 0 cpu 1  web-1"`,
		"\x1b[31mred":                `"\x1b[31mred"`,
		"\u202egnp":                  `"\u202egnp"`,
		"bad\xff":                    `"bad\xff"`,
	} {
		f := fill(twoSockets("alpha"))
		f.add(0, Machine{Name: name, VCPUs: 2})

		if line := "  alpha node 0 cpu 1,33   " + want + "\n"; !strings.Contains(CoreMap(f.fleet, f.result), line) {
			t.Errorf("the map does not have the line %q:\n%s", line, CoreMap(f.fleet, f.result))
		}

		if lines := strings.Count(CoreMap(f.fleet, f.result), "\n"); lines != 33 {
			t.Errorf("%q makes %d lines of 33", name, lines)
		}
	}
}

func TestCoreMapsTellWhoHasACore(t *testing.T) {
	small := func() Host {
		return Host{Name: "alpha", Nodes: []topology.Node{{ID: 0, Cores: []topology.Core{
			{Threads: topology.NewCPUSet(0, 2)}, {Threads: topology.NewCPUSet(1, 3)},
		}}}}
	}

	for name, test := range map[string]struct {
		change   func(*Host)
		machines []Machine
		pins     map[string][]int
		want     string
	}{
		"nobody": {want: "alpha: 2 of 2 cores free\n  alpha node 0 cpu 0,2  (free)\n  alpha node 0 cpu 1,3  (free)\n"},
		"cores without CPUs, written by hand": {
			change: func(h *Host) { h.Nodes[0].Cores = []topology.Core{{}} },
			want:   "alpha: 0 of 0 cores free\n  alpha node 0 (memory only)\n",
		},
		"a pool of one thread": {
			change: func(h *Host) { h.Reserved = topology.NewCPUSet(0) },
			want: "alpha: 1 of 2 cores free and 1 thread, 1 in the shared pool\n" +
				"  alpha node 0 cpu 0,2  0 (shared pool), 2 (free)\n  alpha node 0 cpu 1,3  (free)\n",
		},
		"a host that is leaving": {
			change: func(h *Host) { h.Draining = true }, pins: map[string][]int{"a": {0, 2}},
			want: "alpha: draining, 0 of 2 cores free, 1 with 1 machine, 1 empty\n" +
				"  alpha node 0 cpu 0,2  a\n  alpha node 0 cpu 1,3  (draining)\n",
		},
		"a whole core for one vCPU": {
			pins: map[string][]int{"a": {1}},
			want: "alpha: 1 of 2 cores free, 1 with 1 machine\n" +
				"  alpha node 0 cpu 0,2  (free)\n  alpha node 0 cpu 1,3  1 a, 3 (idle for a)\n",
		},
		"threads of two machines": {
			machines: []Machine{{Name: "a", Threads: true}, {Name: "b", Threads: true}}, pins: map[string][]int{"a": {3}, "b": {1, 2}},
			want: "alpha: 0 of 2 cores free and 1 thread, 2 with 2 machines\n" +
				"  alpha node 0 cpu 0,2  0 (free), 2 b\n  alpha node 0 cpu 1,3  1 b, 3 a\n",
		},
		"two owners, by mistake": {
			change: func(h *Host) { h.Reserved, h.Taken = topology.NewCPUSet(0, 2), topology.NewCPUSet(0, 2, 1) },
			pins:   map[string][]int{"a": {1, 3}, "b": {3}},
			want: "alpha: 0 of 2 cores free, 1 with 2 machines, 1 taken by others\n" +
				"  alpha node 0 cpu 0,2  (shared pool) + (taken by others)\n  alpha node 0 cpu 1,3  1 (taken by others) + a, 3 a + b\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			host, assignments := small(), map[string]Assignment{}
			if test.change != nil {
				test.change(&host)
			}

			for machine, pins := range test.pins {
				assignments[machine] = Assignment{Host: "alpha", Pins: pins}
			}

			fleet, result := Fleet{Hosts: []Host{host}, Machines: test.machines}, Result{Assignments: assignments}
			readPicture(t, CoreMapSVG(fleet, result))

			for range 20 { // assignments are ranged over in another order each time
				if diff := cmp.Diff(test.want, CoreMap(fleet, result)); diff != "" {
					t.Fatalf("the map differs (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestLargeFleetsHaveALineForEachNode(t *testing.T) {
	hosts := make([]Host, 33)
	for i := range hosts {
		hosts[i] = twoSockets(fmt.Sprintf("host-%02d", i))
	}

	f := fill(hosts...)
	f.add(0, Machine{Name: "web-1", VCPUs: 6})
	f.add(0, Machine{Name: "cron-1", VCPUs: 1, Threads: true})

	text := CoreMap(f.fleet, f.result)
	want := `host-00: 26 of 32 cores free and 1 thread, 4 with 2 machines, 2 in the shared pool
  host-00 node 0: 0,32 (shared pool); 1-3,33-35 web-1; 4 cron-1, 36 (free); 5-15,37-47 (free)
  host-00 node 1: 16,48 (shared pool); 17-31,49-63 (free)
`

	if got := text[:min(len(text), len(want))]; got != want {
		t.Errorf("the map begins otherwise (-want +got):\n%s", cmp.Diff(want, got))
	}

	if lines := strings.Count(text, "\n"); lines != 3*33 {
		t.Errorf("the map has %d lines, want %d", lines, 3*33)
	}
}
