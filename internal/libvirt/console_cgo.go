//go:build cgo

package libvirt

import "libvirt.org/go/libvirt"

type openStream struct{ stream *libvirt.Stream }

func (s session) openConsole(uuid string) (consoleStream, error) {
	stream, err := s.conn.NewStream(libvirt.STREAM_NONBLOCK)
	if err != nil {
		return nil, fail(err)
	}

	err = s.with(uuid, func(domain *libvirt.Domain) error { return domain.OpenConsole("", stream, 0) })
	if err != nil {
		_ = stream.Free()

		return nil, err
	}

	return openStream{stream}, nil
}

// read takes what the event loop has received.
func (s openStream) read() (all []byte) {
	chunk := make([]byte, 4<<10)

	for {
		count, err := s.stream.Recv(chunk)
		if err != nil || count <= 0 { // it ended, or nothing is there yet
			return all
		}

		all = append(all, chunk[:count]...)
	}
}

func (s openStream) close() {
	_ = s.stream.Abort()
	_ = s.stream.Free()
}
