package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/testbed"
)

// benchmark is one entry of the list: a way to measure.
type benchmark struct {
	name  string
	about string
	// setup makes on the stage what the rounds share, and returns the round.
	setup func(ctx context.Context, on *stage) (round, error)
}

// round takes one sample of everything that the benchmark compares. It is told its number, from 0, so that rounds can
// take turns in who goes first.
type round func(ctx context.Context, number int) error

// stage is what a benchmark is given. It is cleared when the benchmark ends, however it ends.
type stage struct {
	samples

	log  io.Writer
	open *testbed.Bed // nil until somebody asks
}

// run sets the benchmark up, runs its rounds, and clears the stage.
func (b benchmark) run(ctx context.Context, rounds int, log io.Writer) (figures []figure, err error) {
	on := &stage{log: log}

	defer func() { err = errors.Join(err, on.clear()) }() //nolint:contextcheck // the stage is cleared also when the context has ended

	on.logf("%s: setting up", b.name)

	play, err := b.setup(ctx, on)
	if err != nil {
		return nil, err
	}

	for number := range rounds {
		began := time.Now()

		if err := play(ctx, number); err != nil {
			return nil, fmt.Errorf("round %d: %w", number+1, err)
		}

		on.logf("%s: round %d of %d took %.1f s", b.name, number+1, rounds, time.Since(began).Seconds())
	}

	return on.medians(), nil
}

// bed returns the benchmark's test bed, opening it on first use. What a benchmark writes belongs into the bed's folder:
// if the process is killed, the next bed that opens removes it.
func (s *stage) bed(ctx context.Context) (*testbed.Bed, error) {
	if s.open != nil {
		return s.open, nil
	}

	opened, err := testbed.Open(ctx, testbed.Options{Log: s.log})
	s.open = opened

	return opened, err
}

func (s *stage) logf(format string, arguments ...any) {
	fmt.Fprintf(s.log, format+"\n", arguments...)
}

// clear removes the test bed with all that is in it.
func (s *stage) clear() error {
	if s.open == nil {
		return nil
	}

	return s.open.Close()
}
