//go:build cgo

package libvirt

import (
	"errors"
	"strings"
	"sync"

	"libvirt.org/go/libvirt"
)

// Keep-alive: a host that does not answer for this many intervals is taken for dead, and calls to it fail instead of
// hanging. The interval is short because libvirt before 10.2 may not send a call while another one on the connection waits for
// its answer, if it comes right after a third was answered: the next packet of any kind gets it going.
const (
	keepAliveSeconds = 1
	keepAliveMisses  = 15
)

// events starts libvirt's event loop, which keep-alive needs. It runs as long as the process.
var events = sync.OnceValue(func() error {
	if err := libvirt.EventRegisterDefaultImpl(); err != nil {
		return fail(err)
	}

	go func() {
		for libvirt.EventRunDefaultImpl() == nil {
		}
	}()

	return nil
})

type session struct {
	conn    *libvirt.Connect
	kind    Kind
	handles *handles
}

func dial(uri string) (connection, error) {
	if err := events(); err != nil {
		return nil, err
	}

	conn, err := libvirt.NewConnect(uri)
	if err != nil {
		return nil, fail(err)
	}

	// Local drivers and old daemons have no keep-alive; they are used without.
	_ = conn.SetKeepAlive(keepAliveSeconds, keepAliveMisses)

	return session{conn: conn, kind: kindOf(uri), handles: newHandles()}, nil
}

func (s session) alive() bool {
	alive, err := s.conn.IsAlive()

	return err == nil && alive
}

func (s session) hold() { _ = s.conn.Ref() } // fails for no connection only

func (s session) close() { _, _ = s.conn.Close() }

func (s session) abandon() {
	s.handles.end()
	s.close()
}

// fail turns libvirt's error into ours: its own "there is no such thing" codes, and only these, become ErrNotFound.
func fail(err error) error {
	var failure libvirt.Error
	if !errors.As(err, &failure) {
		return err
	}

	if strings.Contains(failure.Message, "Failed to open libvirt.so") {
		return ErrNoLibrary
	}

	switch failure.Code {
	case libvirt.ERR_NO_DOMAIN, libvirt.ERR_NO_NETWORK, libvirt.ERR_NO_STORAGE_POOL, libvirt.ERR_NO_STORAGE_VOL, libvirt.ERR_NO_DOMAIN_SNAPSHOT:
		return absent(failure.Message)
	default:
		return errors.New(failure.Message)
	}
}

// absent is ErrNotFound in libvirt's words, which say already that something is not found.
type absent string

func (a absent) Error() string { return string(a) }

func (absent) Is(target error) bool { return target == ErrNotFound }

func (s session) capabilities() (string, error) {
	text, err := s.conn.GetCapabilities()

	return text, fail(err)
}

func (s session) cpuModels(arch string) ([]string, error) {
	names, err := s.conn.GetCPUModelNames(arch, 0)

	return names, fail(err)
}

func (s session) freeMemory(node int) (uint64, error) {
	free, err := s.conn.GetCellsFreeMemory(node, 1)
	if err != nil {
		return 0, fail(err)
	}

	return free[0], nil
}

func (s session) freePages(node int, size uint64) (uint64, error) {
	free, err := s.conn.GetFreePages([]uint64{size / 1024}, node, 1, 0)
	if err != nil {
		return 0, fail(err)
	}

	return free[0], nil
}
