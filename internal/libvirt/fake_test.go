package libvirt

import (
	"errors"
	"sync"
	"time"

	"github.com/baiyi-infra/terraform-provider-hypervisor/internal/networkxml"
)

// counter is a connection that counts. What it does is the connection's inside of it, or what domainsFunc says.
type counter struct {
	connection
	domainsFunc func() ([]Domain, error)

	mu     sync.Mutex
	calls  map[string]int
	dead   bool
	holds  int // 1 is the host's own
	closed bool
}

func newCounter(inner connection) *counter {
	return &counter{connection: inner, calls: map[string]int{}, holds: 1}
}

func (c *counter) count(call string) {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.calls[call]++
}

func (c *counter) counted(call string) int {
	c.mu.Lock()
	defer c.mu.Unlock()

	return c.calls[call]
}

func (c *counter) alive() bool {
	c.mu.Lock()
	defer c.mu.Unlock()

	return !c.dead
}

func (c *counter) hold() {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.holds++
}

func (c *counter) close() {
	c.mu.Lock()
	defer c.mu.Unlock()

	c.holds--
	c.closed = c.holds == 0
}

func (c *counter) abandon() { c.close() }

func (c *counter) domains() ([]Domain, error) {
	c.count("domains")

	if c.domainsFunc != nil {
		return c.domainsFunc()
	}

	return c.connection.domains()
}

func (c *counter) networks() ([]Network, error) {
	c.count("networks")

	return c.connection.networks()
}

func (c *counter) pools() ([]poolXML, error) {
	c.count("pools")

	return c.connection.pools()
}

func (c *counter) volumes(pool string) ([]string, bool, error) {
	c.count("volumes")

	return c.connection.volumes(pool)
}

func (c *counter) capabilities() (string, error) {
	c.count("capabilities")

	return c.connection.capabilities()
}

// quiet is a connection to a host that has nothing and takes everything.
type quiet struct{ connection }

func (quiet) follow(func(change, string)) error       { return errors.New("no events") }
func (quiet) domains() ([]Domain, error)              { return []Domain{}, nil }
func (quiet) domain(uuid string) (Domain, error)      { return Domain{UUID: uuid}, nil }
func (quiet) domainNamed(name string) (Domain, error) { return Domain{Name: name}, nil }
func (quiet) volume(_, name string) (string, error) {
	return "<volume><name>" + name + "</name></volume>", nil
}

func (quiet) network(name string) (Network, error)                           { return Network{Name: name}, nil }
func (quiet) defineNetwork(string) error                                     { return nil }
func (quiet) startNetwork(string) error                                      { return nil }
func (quiet) stopNetwork(string) error                                       { return nil }
func (quiet) undefineNetwork(string) error                                   { return nil }
func (quiet) setNetworkAutostart(string, bool) error                         { return nil }
func (quiet) updateNetwork(string, networkxml.Change, bool) error            { return nil }
func (quiet) pool(name string) (poolXML, error)                              { return poolXML{name: name, xml: "<pool/>"}, nil }
func (quiet) definePool(string) error                                        { return nil }
func (quiet) buildPool(string) error                                         { return nil }
func (quiet) startPool(string) error                                         { return nil }
func (quiet) stopPool(string) error                                          { return nil }
func (quiet) undefinePool(string) error                                      { return nil }
func (quiet) setPoolAutostart(string, bool) error                            { return nil }
func (quiet) volumes(string) ([]string, bool, error)                         { return nil, true, nil }
func (quiet) networks() ([]Network, error)                                   { return nil, nil }
func (quiet) pools() ([]poolXML, error)                                      { return nil, nil }
func (quiet) capabilities() (string, error)                                  { return "", errors.New("no capabilities") }
func (quiet) defineDomain(string) error                                      { return nil }
func (quiet) startDomain(string) error                                       { return nil }
func (quiet) shutdownDomain(string) error                                    { return nil }
func (quiet) signalDomain(string) error                                      { return nil }
func (quiet) cpuTime(string) (time.Duration, error)                          { return 0, nil }
func (quiet) destroyDomain(string) error                                     { return nil }
func (quiet) undefineDomain(string) error                                    { return nil }
func (quiet) setAutostart(string, bool) error                                { return nil }
func (quiet) pinVCPU(string, int, []bool) error                              { return nil }
func (quiet) pinEmulator(string, []bool) error                               { return nil }
func (quiet) setMetadata(_, _, _, _ string) error                            { return nil }
func (quiet) resizeDisk(string, string, uint64) error                        { return nil }
func (quiet) hasInterface(string) (bool, error)                              { return true, nil }
func (quiet) openConsole(string) (consoleStream, error)                      { return nil, nil }
func (quiet) migratableXML(string) (string, error)                           { return "", nil }
func (quiet) migrate(connection, Config, Migration) error                    { return nil }
func (quiet) job(string) (Job, error)                                        { return Job{}, nil }
func (quiet) abortJob(string) error                                          { return nil }
func (quiet) startPostCopy(string) error                                     { return nil }
func (quiet) pinIOThread(string, int, []bool) error                          { return nil }
func (quiet) setVCPUs(string, int) error                                     { return nil }
func (quiet) setMemory(string, uint64) error                                 { return nil }
func (quiet) setText(string, TextKind, string) error                         { return nil }
func (quiet) changeDevice(string, DeviceChange, string) error                { return nil }
func (quiet) createSnapshot(string, string) error                            { return nil }
func (quiet) revertToSnapshot(string, string, bool) error                    { return nil }
func (quiet) deleteSnapshot(string, string) error                            { return nil }
func (quiet) refreshPool(string) error                                       { return nil }
func (quiet) createVolume(string, string, bool) error                        { return nil }
func (quiet) resizeVolume(string, string, uint64) error                      { return nil }
func (quiet) deleteVolume(string, string) error                              { return nil }
func (quiet) upload(_, _ string, _ int64, _ func(int) ([]byte, error)) error { return nil }

// over makes a host with a connection that is there already.
func over(conn connection) *Host {
	host := NewHost("alpha", Config{URI: "nowhere:///", ConnectTimeout: time.Second})
	host.conn = conn
	host.dialer = func(string) (connection, error) { return conn, nil }

	return host
}

// gone is a connection to a host on which nothing is found.
type gone struct{ connection }

func (gone) alive() bool                       { return true }
func (gone) hold()                             {}
func (gone) close()                            {}
func (gone) abandon()                          {}
func (gone) follow(func(change, string)) error { return errors.New("no events") }
func (gone) undefineDomain(string) error       { return ErrNotFound }
func (gone) startDomain(string) error          { return ErrNotFound }
func (gone) stopPool(string) error             { return ErrNotFound }
func (gone) stopNetwork(string) error          { return ErrNotFound }
func (gone) deleteVolume(string, string) error { return ErrNotFound }
