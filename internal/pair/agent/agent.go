// Package agent is the life of one member of a MySQL pair beside its server: it looks at the server and at Consul, lets the
// rules of package pair decide, and does the one step that they name.
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/mariadb"
	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/pair"
	"github.com/hashicorp/consul/api"
)

const (
	interval = 500 * time.Millisecond // between two looks
	patience = time.Second            // for an answer of the server or of Consul
	applying = 5 * time.Minute        // for what was received to be applied
	copying  = 24 * time.Hour         // for a copy of the other member
)

// Config is what a member knows of itself and of the other one.
type Config struct {
	Pair, Member, Other string
	First               bool // whether it begins as primary
	Manual              bool // whether it replaces a lost primary only when an operator asks for it
	Socket, User        string
	Folder              string         // keeps what must survive a restart; its owner may read it only
	Source              mariadb.Source // the other member's server
	Address             string         // address:port under which clients reach this member's server
	Writer, Reader      string         // names of the services
	BlindAfter          time.Duration  // without Consul for that long a primary ends itself
	LostAfter           time.Duration  // a replica that is away for that long is no longer waited for
	SessionTTL          time.Duration  // Consul gives up a member that it has not heard of; the node's own check is sooner
	LockDelay           time.Duration  // between the loss of a primary and its successor
}

// Agent is a member's agent.
type Agent struct {
	config Config
	shared *shared
	log    *slog.Logger

	server  *mariadb.Server
	pidFile string
	unsure  bool
	heard   time.Time // when Consul last answered
	present time.Time // when the replica was last there
	mark    uint64    // transaction that the other member must have received to have everything
	markFor string    // the other member's lineage that the mark is for
	before  pair.Step
}

// New makes an agent.
func New(config Config, consul *api.Client, log *slog.Logger) *Agent {
	now := time.Now()

	return &Agent{
		config: config, shared: newShared(config, consul), log: log.With("pair", config.Pair, "member", config.Member),
		unsure: true, heard: now, present: now, // an earlier run may have left a change under way
	}
}

// Run looks and acts until ctx ends. A server that stops or a Consul that is away is part of life and ends nothing. An agent
// that ends leaves everything as it is: if it is started again within the session's time, nobody notices.
func (a *Agent) Run(ctx context.Context) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	defer a.disconnect()

	for {
		stepped, err := a.look(ctx)
		if err != nil && ctx.Err() == nil {
			a.log.Warn("a step failed", "error", err)
		}

		if stepped && err == nil && ctx.Err() == nil { // the next step need not wait
			continue
		}

		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// look sees, decides and acts once. It returns whether it took a step that the look before had not taken, too: only such a one
// tells of progress.
func (a *Agent) look(ctx context.Context) (stepped bool, err error) {
	status, up := a.observe(ctx)

	state, err := readState(a.config.Folder) // after the connection, which ends if the server is started anew
	if err != nil {
		return false, err
	}

	leaving, err := isLeaving(a.config.Folder)
	if err != nil {
		return false, err
	}

	streaming := status.Streaming && !leaving

	seen, err := a.shared.read(ctx, member{Lineage: state.Lineage, Following: state.Following, Streaming: streaming, Received: status.Received}, up)
	if err != nil {
		a.log.Debug("Consul does not answer", "error", err)
	} else {
		a.heard = time.Now()
	}

	view := a.view(status, up, state, seen, err == nil)
	step := pair.Next(view)

	if step.Kind != pair.Wait || a.before.Kind != pair.Wait {
		a.log.Info("next step", "step", step.Kind, "holder", view.Holder, "primary", view.Record.Primary, "in_sync", len(view.Record.InSync))
	}

	stepped = step.Kind != pair.Wait && step.Kind != a.before.Kind
	a.before = step
	failure := a.carryOut(ctx, step, seen)

	// What this look saw is announced, but for a step that ended it.
	writer := up && status.Writable && view.Holder == a.config.Member && step.Kind != pair.Fence
	reader := up && !leaving && (writer || streaming || a.hasEvery(state, seen, err == nil))

	return stepped, errors.Join(failure, a.shared.announce(ctx, writer, reader))
}

// hasEvery says whether this server has every acknowledged write, though it may not replicate at the moment: whoever reads here
// while a lost primary is replaced reads nothing old. Without Consul's answer it is as it was.
func (a *Agent) hasEvery(state state, seen seen, known bool) bool {
	if !known {
		return a.shared.reader
	}

	lineage, listed := seen.record.InSync[a.config.Member]

	return listed && lineage == state.Lineage
}

// observe reads the server's status, over a connection that lasts as long as the server.
func (a *Agent) observe(ctx context.Context) (mariadb.Status, bool) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	if a.server == nil {
		server, err := mariadb.Open(ctx, a.config.Socket, a.config.User)
		if err != nil {
			a.log.Debug("the server does not answer", "error", err)

			return mariadb.Status{}, false
		}

		a.server = server
	}

	status, err := a.server.Status(ctx)
	if err != nil {
		a.log.Warn("the server does not answer", "error", err)
		a.disconnect()

		return mariadb.Status{}, false
	}

	a.pidFile = status.PIDFile

	return status, true
}

func (a *Agent) disconnect() {
	if a.server != nil {
		_ = a.server.Close() // it is gone, or will be
		a.server = nil
	}
}

// view is what the rules are told.
func (a *Agent) view(status mariadb.Status, up bool, state state, seen seen, known bool) pair.View {
	other := seen.other
	following := state.Following
	if status.Source == "" { // it was cut short on the way to follow, or after it was detached
		following = ""
	}

	replica := up && status.Replicas > 0 && other.Streaming && other.Following == a.config.Member

	if replica {
		a.present = time.Now()
	}

	if up && status.Writable && status.Waits && a.markFor != other.Lineage && other.Lineage != "" {
		a.mark, a.markFor = status.Written, other.Lineage
	}

	return pair.View{
		Me: a.config.Member, First: a.config.First, Manual: a.config.Manual, Other: a.config.Other, OtherLineage: other.Lineage,
		Known: known, Blind: time.Since(a.heard) > a.config.BlindAfter,
		Holder: seen.holder, Record: seen.record, Unsure: a.unsure,
		Server: pair.Server{
			Up: up, Lineage: state.Lineage, Writable: status.Writable, Waits: status.Waits, Replica: replica,
			Following: following, Diverged: status.Diverged,
		},
		CaughtUp: replica && other.Received >= a.mark,
		Lost:     time.Since(a.present) > a.config.LostAfter,
	}
}

// kill ends the server at once; its supervisor starts it again, as a replica.
func (a *Agent) kill() error {
	defer a.disconnect()

	text, err := os.ReadFile(a.pidFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}

	if err != nil {
		return fmt.Errorf("kill the server: %w", err)
	}

	id, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("kill the server: read its id from %s: %w", a.pidFile, err)
	}

	if err := syscall.Kill(id, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill the server: %w", err)
	}

	return nil
}
