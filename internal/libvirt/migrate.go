package libvirt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/poll"
)

// Migration says how a running machine is moved to another host.
type Migration struct {
	UUID      string
	LiveXML   string // what the process on the target is made from
	StoredXML string // what the machine's later starts use there

	// Disks are the device names, such as "vda", of the disks whose content is copied. Volumes of the same pools and names
	// have to be on the target. Other disks are taken for shared.
	Disks []string
	// Overlays copies of each disk only what stands in the volume itself, and not what stands in the volumes below it, which
	// then have to have the same content on the target.
	Overlays bool
	// Shared says that there are disks which both hosts reach, although libvirt cannot see that.
	Shared bool

	Bandwidth    uint64 // bytes a second, of memory and of disks; 0 is no limit
	PostCopy     bool   // has the machine go on at the target after the first round, and fetch the rest of its memory
	AutoConverge bool   // slows the guest down while it writes faster than its memory is copied
	TLS          bool   // encrypts memory and disks on their way
}

// Job is how far a host is with moving a machine.
type Job struct {
	Active    bool
	Total     uint64 // bytes of memory and disks
	Processed uint64 // bytes
	round     uint64 // of the memory's copying
}

const (
	jobInterval = 500 * time.Millisecond
	// abortTimeout is how long what is given up may take to stop, unless the run was cancelled.
	abortTimeout = 30 * time.Second
)

// Migrate moves the running machine to another host, which keeps its definition, as this one does. If ctx ends it is given
// up. After an error the machine still runs here, unless the error came when it had arrived: the caller has to look.
func (h *Host) Migrate(ctx context.Context, to *Host, m Migration) error {
	changed := func() {
		for _, host := range []*Host{h, to} {
			host.changed(m.UUID)
			host.forget(storage)
		}
	}

	changed()
	defer changed()

	source, err := h.connect(ctx)
	if err != nil {
		return err
	}
	defer source.close()

	// What lasts has connections of its own, see keepAliveSeconds.
	sender, err := h.open(ctx)
	if err != nil {
		return err
	}
	defer sender.abandon()

	receiver, err := to.open(ctx)
	if err != nil {
		return err
	}
	defer receiver.abandon()

	watched, stop := watch(ctx, source, sender, receiver)
	defer stop()

	moving := make(chan error, 1)

	sender.hold()
	receiver.hold()

	go func() {
		defer sender.close()
		defer receiver.close()

		moving <- sender.migrate(receiver, to.config, m)
	}()

	if err := attend(watched, source, m, moving); err != nil {
		return fmt.Errorf("migrate the machine from host %q to host %q: %w", h.name, to.name, err)
	}

	return nil
}

// attend waits for a migration, has the machine go on at the target if that is wanted, and stops it when ctx ends.
func attend(ctx context.Context, source connection, m Migration, moving <-chan error) error {
	ticker := time.NewTicker(jobInterval)
	defer ticker.Stop()

	last, switched := Job{}, !m.PostCopy

	for {
		select {
		case err := <-moving:
			return err
		case <-ctx.Done():
			return abandon(ctx, source, m.UUID, last, moving)
		case <-ticker.C:
		}

		job, err := await(ctx, func() (Job, error) { return source.job(m.UUID) }, nil)
		if err != nil || !job.Active {
			continue // it is about to begin, or has just ended
		}

		last = job

		if !switched && job.round > 1 {
			switched = source.startPostCopy(m.UUID) == nil
		}
	}
}

// abandon gives up a migration whose context has ended and waits until it has stopped, which takes the hosts some seconds if the
// process there is just starting. One that is complete by then has succeeded.
func abandon(ctx context.Context, source connection, uuid string, last Job, moving <-chan error) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, errLost) {
		return cause
	}

	limited, cancel := poll.Aftermath(ctx, abortTimeout)
	defer cancel()

	ticker := time.NewTicker(jobInterval)
	defer ticker.Stop()

	for {
		_, _ = await(limited, func() (struct{}, error) { return struct{}{}, source.abortJob(uuid) }, nil) // it may not have begun yet, or be over

		select {
		case err := <-moving:
			if err == nil {
				return nil
			}

			return fmt.Errorf("it was given up (%w)%s", cause, last.progress())
		case <-limited.Done():
			return fmt.Errorf("it was given up (%w)%s, and has not stopped yet", cause, last.progress())
		case <-ticker.C:
		}
	}
}

func (j Job) progress() string {
	if j.Total == 0 {
		return ""
	}

	return fmt.Sprintf(" after %d of %d MiB", j.Processed>>20, j.Total>>20)
}

// Moving returns how far the host is with moving the machine away, as it does without this process if it was told a
// peer's URI. A machine that is not there is not being moved.
func (h *Host) Moving(ctx context.Context, uuid string) (Job, error) {
	job, err := do(ctx, h, "look at the machine's migration", func(c connection) (Job, error) { return c.job(uuid) })
	if errors.Is(err, ErrNotFound) {
		return Job{}, nil
	}

	return job, err
}

// MigratableXML returns the definition of the running machine without what belongs to this host's process alone.
func (h *Host) MigratableXML(ctx context.Context, uuid string) (string, error) {
	return do(ctx, h, "read the machine's definition", func(c connection) (string, error) { return c.migratableXML(uuid) })
}
