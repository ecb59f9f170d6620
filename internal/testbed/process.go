package testbed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pollInterval is how often a wait looks again.
const pollInterval = 20 * time.Millisecond

// process names a process beyond doubt: a PID alone may have been given to another process since.
type process struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // field 22 of /proc/PID/stat, in clock ticks since boot
}

var errZombie = errors.New("it has ended and waits to be reaped")

// identify reads the start time of a process or a thread, unless it is a zombie; see proc(5).
func identify(pid int) (process, error) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return process{}, fmt.Errorf("look at process %d: %w", pid, err)
	}

	// The second field is the command in parentheses and may itself hold blanks and parentheses.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 {
		return process{}, fmt.Errorf("look at process %d: /proc/%d/stat has %d fields after the command, not 20", pid, pid, len(fields))
	}
	if fields[0] == "Z" {
		return process{}, fmt.Errorf("look at process %d: %w", pid, errZombie)
	}
	start, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return process{}, fmt.Errorf("look at process %d: %w", pid, err)
	}
	return process{PID: pid, Start: start}, nil
}

// alive reports whether the very process still exists.
func (p process) alive() bool {
	now, err := identify(p.PID)
	return err == nil && now == p
}

// daemon is a server that this process started.
type daemon struct {
	name    string
	process *os.Process
	log     string        // path of the file that holds its output
	gone    chan struct{} // closed when it has ended
}

// spawn starts a server inside the bed's cgroup, so that cleaning up finds it without knowing its PID. The server
// outlives the test binary: its output goes to a file and it leads a session of its own.
func (b *Bed) spawn(name, log string, argv ...string) (*daemon, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.closed {
		return nil, fmt.Errorf("start %s: %w", name, errClosed)
	}
	if err := b.groups.createServices(b.prefix()); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	join := []string{"/bin/sh", "-c", `echo $$ >"$1" && shift && exec "$@"`, "sh", b.groups.servicesFile(b.prefix())}
	server, err := launch(name, log, append(join, argv...)...)
	if err != nil {
		return nil, err
	}
	b.daemons = append(b.daemons, server)
	return server, nil
}

// launch starts a server in a session of its own and reaps it when it ends.
func launch(name, log string, argv ...string) (*daemon, error) {
	output, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer output.Close()

	cmd := exec.Command(argv[0], argv[1:]...) //nolint:noctx // the server outlives the call that started it
	cmd.Stdout, cmd.Stderr = output, output
	cmd.Dir = filepath.Dir(log)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}

	d := &daemon{name: name, process: cmd.Process, log: log, gone: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how a server ended is told by its log
		close(d.gone)
	}()
	return d, nil
}

// ready waits until probe succeeds; it gives up when the server ends or limit has passed, quoting the server's last words.
func (d *daemon) ready(ctx context.Context, limit time.Duration, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()

	err := until(ctx, func(ctx context.Context) error {
		select {
		case <-d.gone:
			return errEnded
		default:
			return probe(ctx)
		}
	})
	if err != nil {
		return fmt.Errorf("start %s: %w; the end of its log %s:\n%s", d.name, err, d.log, tail(d.log, 15))
	}
	return nil
}

// stop ends the server: politely, then after grace, or when ctx ends, by force.
func (d *daemon) stop(ctx context.Context, grace time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	d.signal(syscall.SIGTERM)
	select {
	case <-d.gone:
	case <-ctx.Done():
		d.kill()
	}
}

// kill ends the server at once and waits until it is reaped.
func (d *daemon) kill() {
	d.signal(syscall.SIGKILL)
	<-d.gone
}

// signal sends a signal unless the server has ended. It is our child and only launch reaps it.
func (d *daemon) signal(signal syscall.Signal) {
	select {
	case <-d.gone:
	default:
		_ = d.process.Signal(signal) // it may end at this moment
	}
}

// errEnded says that what is waited for cannot come any more.
var errEnded = errors.New("it has ended")

// until calls probe again and again until it succeeds, reports errEnded, or ctx ends; the error then holds what probe
// saw last.
func until(ctx context.Context, probe func(context.Context) error) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()

	for {
		err := probe(ctx)
		if err == nil || errors.Is(err, errEnded) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait: %w; seen last: %w", context.Cause(ctx), err)
		case <-ticker.C:
		}
	}
}

// run executes a program to its end and returns what it printed.
func run(ctx context.Context, argv ...string) (string, error) {
	return feed(ctx, "", argv...)
}

// feed is run with text on the program's standard input.
func feed(ctx context.Context, input string, argv ...string) (string, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin = strings.NewReader(input)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("run %s: %w: %s", strings.Join(argv, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// tail returns the last lines of a file, or says why it cannot.
func tail(path string, lines int) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
