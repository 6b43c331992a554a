package wire

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"unsafe"
)

// The mailbox is a piece of memory that guest and host share: BAR 2 of QEMU's
// ivshmem-plain device on one side, a mapped file on the other. The guest
// appends frames and publishes their end; the host reads. Nothing is signalled,
// so reading never wakes the guest or QEMU, and a result costs the guest a
// memory copy where the serial console would cost an exit for each byte. Init keeps
// programs from the device; what one that gets there all the same writes is for the
// host to tell from init's words.
const (
	// MailboxVendor and MailboxDevice are ivshmem's PCI IDs
	// (QEMU, docs/specs/ivshmem-spec.rst).
	MailboxVendor = 0x1af4
	MailboxDevice = 0x1110
	// MailboxSize is a power of two, as a PCI BAR must be. The file behind it
	// is sparse: only what the guest writes takes memory.
	MailboxSize = 32 << 20
	// MailboxReserve is what must be free before another trial begins: its
	// output, its fault records (16384 of at most 180 bytes) and some change.
	MailboxReserve = MaxOutput + 16384*180 + 64<<10
	// MaxOutput is how much of a program's output is kept.
	MaxOutput = 512 << 10

	// PowerVendor and PowerDevice are pvpanic's PCI IDs, PowerStop is its
	// "panicked" event (QEMU, docs/specs/pvpanic.txt).
	PowerVendor = 0x1b36
	PowerDevice = 0x0011
	PowerStop   = 1

	mailboxMagic = 0x31584f424d42414c // "LABMBOX1", little-endian
	mailboxHead  = 64
)

// Mailbox is one side's view of the shared memory.
type Mailbox struct {
	mem  []byte
	read uint64 // the host's position
}

// NewMailbox prepares the memory for a guest; the host calls it before QEMU starts.
func NewMailbox(mem []byte) *Mailbox {
	clear(mem[:mailboxHead])
	binary.LittleEndian.PutUint64(mem, mailboxMagic)
	return &Mailbox{mem: mem}
}

// OpenMailbox is the guest's view of memory that the host has prepared.
func OpenMailbox(mem []byte) (*Mailbox, error) {
	if len(mem) < mailboxHead || binary.LittleEndian.Uint64(mem) != mailboxMagic {
		return nil, fmt.Errorf("open mailbox: no magic in %d bytes", len(mem))
	}
	return &Mailbox{mem: mem}, nil
}

// tail is the number of bytes the guest has published after the head.
func (m *Mailbox) tail() *uint64 { return (*uint64)(unsafe.Pointer(&m.mem[8])) }

// size is the terminal's that the console is on, as the host last said.
func (m *Mailbox) size() *uint32 { return (*uint32)(unsafe.Pointer(&m.mem[16])) }

// Resize tells the guest the size of the terminal. It is the host's.
func (m *Mailbox) Resize(s Size) {
	atomic.StoreUint32(m.size(), uint32(uint16(s.Cols))<<16|uint32(uint16(s.Rows)))
}

// Size is what the host last said, zero for nothing. It is the guest's.
func (m *Mailbox) Size() Size {
	n := atomic.LoadUint32(m.size())
	return Size{Cols: int(n >> 16), Rows: int(n & 0xffff)}
}

// Free is the number of bytes that can still be sent.
func (m *Mailbox) Free() int {
	return len(m.mem) - mailboxHead - int(atomic.LoadUint64(m.tail()))
}

// Send appends a message. It is the guest's, and fails when the message does
// not fit.
func (m *Mailbox) Send(msg Message) error {
	frame := Append(nil, msg)
	if len(frame) > m.Free() {
		return fmt.Errorf("send message: %d bytes do not fit in %d", len(frame), m.Free())
	}
	end := atomic.LoadUint64(m.tail())
	copy(m.mem[mailboxHead+end:], frame)
	atomic.StoreUint64(m.tail(), end+uint64(len(frame)))
	return nil
}

// Receive returns the messages published since the last call. It is the host's.
// The bytes in them are copies. A guest that corrupts its mailbox gets an
// error that wraps ErrFrame, for good.
func (m *Mailbox) Receive() ([]Message, error) {
	end := atomic.LoadUint64(m.tail())
	if end == m.read {
		return nil, nil
	}
	if end > uint64(len(m.mem)-mailboxHead) || end < m.read {
		return nil, fmt.Errorf("%w: the mailbox ends at %d of %d", ErrFrame, end, len(m.mem))
	}
	b := append([]byte(nil), m.mem[mailboxHead+m.read:mailboxHead+end]...)
	var msgs []Message
	for len(b) > 0 {
		msg, rest, err := Next(b)
		if err != nil {
			return msgs, err
		}
		m.read += uint64(len(b) - len(rest))
		msgs, b = append(msgs, msg), rest
	}
	return msgs, nil
}
