// Package libvirt talks to libvirt hosts. It takes and returns plain values and XML, knows one connection per host,
// dials it on first use, and reads in bulk: one list of a host's machines serves everybody until the first write.
//
// Builds without cgo have no libvirt; there every use of a host fails with ErrUnsupported.
package libvirt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/networkxml"
	"golang.org/x/sync/singleflight"
)

// The errors that callers branch on. Everything else that can go wrong is neither.
var (
	// ErrNotFound is returned (wrapped) only when libvirt itself says that a machine, a network, a pool, a volume or a snapshot is not there.
	ErrNotFound = errors.New("not found")
	// ErrUnreachable is returned (wrapped) when no connection to the host could be made.
	ErrUnreachable = errors.New("the host cannot be reached")
	// ErrUnsupported is returned by builds without cgo.
	ErrUnsupported = errors.New("this build of the provider cannot reach libvirt hosts, since it was built without cgo. Use the release for linux")
	// ErrNoLibrary is returned when libvirt's client library is not installed where Terraform runs.
	ErrNoLibrary = errors.New("libvirt's client library is not installed on the machine that runs Terraform. Install it: \"apt-get install libvirt0\" on Debian and Ubuntu, \"dnf install libvirt-libs\" on Fedora and RHEL")
)

// Config says how a host is reached.
type Config struct {
	URI            string        // libvirt's connection URI
	ConnectTimeout time.Duration // the most that dialling may take
	MigrationURI   string        // where the QEMU of other hosts reaches this one's, such as "tcp://10.1.0.12"; empty has libvirt say it
	PeerURI        string        // libvirt's connection URI for other hosts; empty has this process direct migrations
}

// Host is one libvirt host. It is safe for concurrent use.
type Host struct {
	name   string
	config Config
	dialer func(uri string) (connection, error)

	dialling    singleflight.Group
	subscribing sync.Mutex // held while the host's events are subscribed to

	mu      sync.Mutex // guards what follows
	conn    connection
	failure error // of the last dial
	failed  time.Time
	reads   map[string]*read
	wrote   map[string]bool // questions to which this process changed the answer
	news    news

	poolTypes map[string]string // by the pools' names
}

// connection is what the package needs of libvirt. It is implemented with libvirt where there is cgo.
type connection interface {
	alive() bool
	hold()    // keeps the connection from being freed until a further close
	close()   // frees the connection unless it is held
	abandon() // is close for who made the connection: nothing that was looked up by it is kept any longer

	capabilities() (string, error)
	cpuModels(arch string) ([]string, error)
	freeMemory(node int) (bytes uint64, err error)
	freePages(node int, size uint64) (count uint64, err error)

	follow(heard func(what change, uuid string)) error // calls heard with each event of a machine
	domains() ([]Domain, error)
	domain(uuid string) (Domain, error)
	domainNamed(name string) (Domain, error)
	defineDomain(xml string) error
	startDomain(uuid string) error
	shutdownDomain(uuid string) error
	signalDomain(uuid string) error
	destroyDomain(uuid string) error
	undefineDomain(uuid string) error
	runDomain(xml string) (uuid string, err error)
	isActive(uuid string) (bool, error)
	knowsInit(uuid string) (bool, error) // whether a container's first process is known; true of all other machines
	taskRuns(uuid string) (bool, error)
	cpuTime(uuid string) (time.Duration, error)
	setAutostart(uuid string, on bool) error
	pinVCPU(uuid string, vcpu int, cpus []bool) error
	pinEmulator(uuid string, cpus []bool) error
	setMetadata(uuid, xml, key, uri string) error
	resizeDisk(uuid, path string, capacity uint64) error
	pinIOThread(uuid string, thread int, cpus []bool) error
	setVCPUs(uuid string, count int) error
	setMemory(uuid string, bytes uint64) error
	setText(uuid string, kind TextKind, text string) error
	changeDevice(uuid string, change DeviceChange, xml string) error
	hasInterface(name string) (bool, error)
	openConsole(uuid string) (consoleStream, error)
	leases(uuid string) (map[string][]string, error)
	migratableXML(uuid string) (string, error)
	migrate(to connection, at Config, m Migration) error // both stay defined
	job(uuid string) (Job, error)
	abortJob(uuid string) error
	startPostCopy(uuid string) error

	snapshots(uuid string) (xml []string, err error)
	createSnapshot(uuid, xml string) error
	revertToSnapshot(uuid, name string, run bool) error
	deleteSnapshot(uuid, name string) error

	networks() ([]Network, error)
	network(name string) (Network, error)
	defineNetwork(xml string) error
	startNetwork(name string) error
	stopNetwork(name string) error
	undefineNetwork(name string) error
	setNetworkAutostart(name string, on bool) error
	updateNetwork(name string, change networkxml.Change, live bool) error

	pools() ([]poolXML, error)
	pool(name string) (poolXML, error)
	definePool(xml string) error
	buildPool(name string) error
	startPool(name string) error
	stopPool(name string) error
	undefinePool(name string) error
	setPoolAutostart(name string, on bool) error
	volumes(pool string) (xml []string, active bool, err error) // refreshed
	volume(pool, name string) (xml string, err error)
	volumeAt(path string) (pool, name string, err error)
	refreshPool(pool string) error
	createVolume(pool, xml string, preallocate bool) error
	resizeVolume(pool, name string, capacity uint64) error
	deleteVolume(pool, name string) error
	upload(pool, name string, length int64, next func(limit int) ([]byte, error)) error
	download(pool, name string, at, length uint64, write func([]byte) error) error // length 0 is up to the end
}

// NewHost makes a host's client. It reaches nothing.
func NewHost(name string, config Config) *Host {
	return &Host{name: name, config: config, dialer: dial, reads: map[string]*read{}, wrote: map[string]bool{}, news: newNews(), poolTypes: map[string]string{}}
}

// Name is the host's name in the provider block.
func (h *Host) Name() string { return h.name }

// Known reports whether the host's URI is known. It is not while another resource that provides it is still planned.
func (h *Host) Known() bool { return h.config.URI != "" }

// connect returns the host's connection, dialling it if there is none or if it has died. Those who ask while it is
// dialled share the outcome, and a host that could not be reached is not dialled again for as long as a dial may take,
// so a hundred machines of a dead host wait once. The caller closes what is returned.
func (h *Host) connect(ctx context.Context) (connection, error) {
	for {
		conn, err := h.connected()
		if conn != nil || err != nil {
			return conn, err
		}

		dialled := h.dialling.DoChan("", func() (any, error) { return nil, h.dial(context.WithoutCancel(ctx)) })

		select {
		case outcome := <-dialled:
			if outcome.Err != nil {
				return nil, outcome.Err
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("connect to host %q at %s: %w", h.name, h.config.URI, ctx.Err())
		}
	}
}

// connected returns the connection, held for the caller since libvirt frees one under those who still use it, or why
// there is none. It returns neither if the host is to be dialled.
func (h *Host) connected() (connection, error) {
	h.mu.Lock()
	defer h.mu.Unlock()

	if h.conn != nil && h.conn.alive() {
		h.conn.hold()

		return h.conn, nil
	}

	h.abandon()

	if h.failure != nil && time.Since(h.failed) < h.config.ConnectTimeout {
		return nil, h.failure
	}

	return nil, nil
}

// abandon lets go of the connection and of what was learnt by it. Who uses it still has it. The caller holds the mutex.
func (h *Host) abandon() {
	if h.conn == nil {
		return
	}

	h.conn.abandon()
	h.conn = nil
	h.reads = map[string]*read{}
	h.forgetNews()
}

// dial makes a connection, or takes down why that failed. It runs once at a time.
func (h *Host) dial(ctx context.Context) error {
	if conn, err := h.connected(); conn != nil || err != nil { // it was made since the caller looked
		if conn != nil {
			conn.close()
		}

		return err
	}

	conn, err := h.open(ctx)

	h.mu.Lock()
	defer h.mu.Unlock()

	h.conn, h.failure, h.failed = conn, err, time.Now()

	return err
}

// open makes a connection that is the caller's own, who abandons it.
func (h *Host) open(ctx context.Context) (connection, error) {
	limited, cancel := context.WithTimeout(ctx, h.config.ConnectTimeout)
	defer cancel()

	conn, err := await(limited, h.reach, connection.abandon)

	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer within %s. Check that it is up, or raise its connect_timeout", h.config.ConnectTimeout)
	}

	switch {
	case err == nil:
	case errors.Is(err, ErrNoLibrary), errors.Is(err, ErrUnsupported):
		err = fmt.Errorf("connect to host %q: %w", h.name, err)
	default:
		err = fmt.Errorf("connect to host %q at %s: %w: %w%s", h.name, h.config.URI, ErrUnreachable, err, remedy(err))
	}

	return conn, err
}

func (h *Host) reach() (connection, error) {
	conn, err := h.dialer(unattended(h.config.URI))
	if err != nil || h.Kind() != QEMU {
		return conn, err
	}

	return newConfining(conn), nil
}

// do runs one operation on the host's connection and gives up waiting for it when ctx ends; libvirt's calls cannot be
// interrupted, so the operation itself may still complete.
func do[T any](ctx context.Context, h *Host, what string, operation func(connection) (T, error)) (T, error) {
	var none T

	conn, err := h.connect(ctx)
	if err != nil {
		return none, err
	}

	watched, stop := watch(ctx, conn)
	defer stop()

	value, err := await(watched, func() (T, error) {
		defer conn.close()

		return operation(conn)
	}, nil)
	if err != nil {
		return none, fmt.Errorf("%s on host %q: %w", what, h.name, err)
	}

	return value, nil
}

// errLost is the end of an operation whose connection died under it.
var errLost = errors.New("the connection to the host was lost")

// aliveInterval is how often an operation looks whether its connection is still alive.
const aliveInterval = time.Second

// watch ends the returned context, with errLost, when one of the connections dies. Of several calls on one connection libvirt's
// keep-alive fails only the one that reads the socket at that moment; the others would wait for ever.
func watch(ctx context.Context, conns ...connection) (context.Context, context.CancelFunc) {
	watched, cancel := context.WithCancelCause(ctx)

	ended := make(chan struct{})

	for _, conn := range conns {
		conn.hold()
	}

	go func() {
		defer close(ended)
		defer func() {
			for _, conn := range conns {
				conn.close()
			}
		}()

		ticker := time.NewTicker(aliveInterval)
		defer ticker.Stop()

		for {
			select {
			case <-watched.Done():
				return
			case <-ticker.C:
				if slices.ContainsFunc(conns, func(conn connection) bool { return !conn.alive() }) {
					cancel(errLost)
				}
			}
		}
	}()

	return watched, func() {
		cancel(nil)
		<-ended
	}
}

// run is do for an operation that changes something: what was read of it before is dropped.
func run(ctx context.Context, h *Host, changed area, what string, operation func(connection) error) error {
	h.forget(changed)
	defer h.forget(changed)

	_, err := do(ctx, h, what, func(conn connection) (struct{}, error) { return struct{}{}, operation(conn) })

	return err
}

// await runs call and returns its result, or the cause of ctx's end if that comes first; the result is then handed to discard.
func await[T any](ctx context.Context, call func() (T, error), discard func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}

	done := make(chan result, 1)

	go func() {
		value, err := call()
		done <- result{value, err}
	}()

	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		if discard != nil {
			go func() {
				if r := <-done; r.err == nil {
					discard(r.value)
				}
			}()
		}

		var none T

		return none, context.Cause(ctx)
	}
}
