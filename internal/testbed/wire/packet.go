package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A packet of libvirt's protocol is its own length, a header of six numbers, all big-endian, and a payload; see
// src/rpc/virnetprotocol.x and https://libvirt.org/kbase/internals/rpc.html.
const (
	lengthSize = 4
	headerSize = lengthSize + 6*4
	maxPacket  = 64 << 20 // more than VIR_NET_MESSAGE_MAX

	keepAlive = 0x6b656570 // the program of keep-alive packets, which nobody waits for

	kindCall    = 0
	kindStream  = 3
	kindCallFDs = 4

	statusContinue = 2 // of a stream that has more to send
)

type packet struct {
	raw     []byte
	program uint32
	call    Call
	kind    uint32
	status  uint32
}

// Call is something that a client asked of the daemon: a call, or a part of a stream that it sends.
type Call struct {
	Procedure int  // its number in libvirt's remote_protocol.x
	Stream    bool // a part of a stream that the procedure opened
	Serial    uint32
	Payload   []byte // its arguments, in XDR
}

func (c Call) String() string {
	if c.Stream {
		return fmt.Sprintf("stream of procedure %d", c.Procedure)
	}
	return fmt.Sprintf("procedure %d", c.Procedure)
}

var errMalformed = errors.New("a packet is not of libvirt's protocol")

func readPacket(from io.Reader) (packet, error) {
	var size [lengthSize]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return packet{}, err
	}
	length := binary.BigEndian.Uint32(size[:])
	if length < headerSize || length > maxPacket {
		return packet{}, errMalformed
	}
	raw := make([]byte, length)
	copy(raw, size[:])
	if _, err := io.ReadFull(from, raw[lengthSize:]); err != nil {
		return packet{}, err
	}
	number := func(field int) uint32 { return binary.BigEndian.Uint32(raw[lengthSize+4*field:]) }
	kind := number(3)
	return packet{
		raw:     raw,
		program: number(0),
		kind:    kind,
		status:  number(5),
		call:    Call{Procedure: int(number(2)), Stream: kind == kindStream, Serial: number(4), Payload: raw[headerSize:]},
	}, nil
}

// asks reports whether a packet of a client asks something of the daemon.
func (p packet) asks() bool {
	return p.program != keepAlive && (p.kind == kindCall || p.kind == kindCallFDs || p.kind == kindStream)
}

// answered reports whether the daemon answers the client's packet with one of the same serial. Of a stream only its end is.
func (p packet) answered() bool { return p.kind != kindStream || p.status != statusContinue }
