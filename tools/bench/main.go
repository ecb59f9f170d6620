// Command bench measures the provider on real parts and prints one figure a line: name, value, unit. Nothing is asserted
// about speed; the same figures are written as JSON for programs that compare them.
//
// A benchmark is an entry in benchmarks: what its rounds share is set up once, each round takes one sample of everything
// that is compared, and a figure is the median of its samples.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// benchmarks are all there are, in the order in which they run.
var benchmarks = []benchmark{
	{name: "refresh", about: "refresh machines that are as the state says, against a provider that does nothing", setup: setUpRefresh},
	{name: "gateways", about: "refresh and make routes of gateways, against a provider that does nothing and against one call after the other", setup: setUpGateways},
	{name: "create", about: "create and start machines, against the same calls made straight through libvirt's binding", setup: setUpCreate(0)},
	{name: "create_slow", about: "the same over a connection with 20 ms of latency each way", setup: setUpCreate(slow)},
	{name: "services", about: "refresh and make Consul services, against a provider that does nothing and one request after another", setup: setUpServices},
	{name: "placement", about: "place fleets: how full hosts get, how long a plan takes", setup: setUpPlacement},
	{name: "platform", about: "plan a platform of some 250 machines on hosts that are only written down", setup: setUpPlatform},
}

// What is published, below the repository's folder.
const (
	keptResult = "tools/bench/result.json"
	guidePath  = "templates/guides/speed.md"
)

// slow is the latency of a connection to a host that is far away, each way.
const slow = 20 * time.Millisecond

// options are the command's flags.
type options struct {
	run     *regexp.Regexp
	rounds  int
	out     string
	publish bool
}

func main() {
	// A second signal ends the process at once; what it leaves is removed by the next test bed that opens.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)

	settings, err := parse(os.Args[1:])
	if err == nil {
		err = measure(ctx, settings)
	}

	if errors.Is(err, flag.ErrHelp) {
		return
	}

	if err != nil {
		fmt.Fprintln(os.Stderr, "Unable to take all figures:", err)
		os.Exit(1)
	}
}

func parse(arguments []string) (options, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	pattern := flags.String("run", "", "run the benchmarks whose names match this `regexp`; all by default")
	rounds := flags.Int("rounds", 3, "samples of each figure")
	out := flags.String("out", "bin", "`folder` that gets bench.json")
	public := flags.Bool("publish", false, "also put the figures into the guide; in the repository's folder")
	flags.Usage = func() { usage(flags) }

	if err := flags.Parse(arguments); err != nil {
		return options{}, err
	}

	if *rounds < 1 || flags.NArg() > 0 {
		return options{}, fmt.Errorf("read the command line: it takes at least one round and no arguments, and has %d and %q", *rounds, flags.Args())
	}

	run, err := regexp.Compile(*pattern)
	if err != nil {
		return options{}, fmt.Errorf("read the command line: %w", err)
	}

	return options{run: run, rounds: *rounds, out: *out, publish: *public}, nil
}

func usage(flags *flag.FlagSet) {
	fmt.Fprintln(flags.Output(), "go run -tags libvirt_dlopen ./tools/bench [flags]")
	flags.PrintDefaults()
	fmt.Fprintln(flags.Output(), "Benchmarks:")

	for _, b := range benchmarks {
		fmt.Fprintf(flags.Output(), "  %s\n    \t%s\n", b.name, b.about)
	}
}

// measure runs the chosen benchmarks and writes what they measured, also if one of them failed.
func measure(ctx context.Context, settings options) error {
	chosen, err := choose(benchmarks, settings.run)
	if err != nil {
		return err
	}

	if err := os.MkdirAll(settings.out, 0o755); err != nil {
		return fmt.Errorf("make the folder for the figures: %w", err)
	}

	all, load := machineNow(), loadAverage()

	var failures []error

	for _, b := range chosen {
		figures, err := b.run(ctx, settings.rounds, os.Stderr)
		if err != nil {
			failures = append(failures, fmt.Errorf("benchmark %s: %w", b.name, err))

			continue
		}

		for i := range figures {
			figures[i].Load = load
		}

		if err := printLines(os.Stdout, figures); err != nil {
			return err
		}

		all.Figures = append(all.Figures, figures...)
	}

	failures = append(failures, writeJSON(filepath.Join(settings.out, "bench.json"), all))
	if settings.publish {
		failures = append(failures, publish(all, keptResult, guidePath))
	}

	return errors.Join(failures...)
}

func choose(from []benchmark, run *regexp.Regexp) ([]benchmark, error) {
	var (
		chosen []benchmark
		names  []string
	)

	for _, b := range from {
		names = append(names, b.name)

		if run.MatchString(b.name) {
			chosen = append(chosen, b)
		}
	}

	if len(chosen) == 0 {
		return nil, fmt.Errorf("choose benchmarks: none matches %q; there are %s", run, strings.Join(names, ", "))
	}

	return chosen, nil
}
