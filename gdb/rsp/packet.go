package rsp

import (
	"bufio"
	"errors"
	"fmt"
	"strconv"
)

// maxPacket is more than any stub sends: QEMU's largest packet has 4 KiB
// (gdbstub.c, MAX_PACKET_LENGTH), of which each byte may be the run length of
// many.
const maxPacket = 1 << 20

// encode frames a packet: $data#checksum. The characters that frame packets are
// escaped.
func encode(data []byte) []byte {
	b := make([]byte, 0, len(data)+4)
	b = append(b, '$')
	for _, c := range data {
		if c == '$' || c == '#' || c == '}' || c == '*' {
			b = append(b, '}')
			c ^= 0x20
		}
		b = append(b, c)
	}
	return fmt.Appendf(b, "#%02x", checksum(b[1:]))
}

func checksum(b []byte) (sum byte) {
	for _, c := range b {
		sum += c
	}
	return sum
}

var errChecksum = errors.New("wrong checksum")

// decode reads one packet and returns its data, with escapes and run lengths
// undone. What stands before a packet, such as acknowledgements, is skipped.
func decode(in *bufio.Reader) ([]byte, error) {
	for {
		c, err := in.ReadByte()
		if err != nil {
			return nil, err
		}
		if c == '$' {
			break
		}
	}
	var raw []byte
	for {
		c, err := in.ReadByte()
		if err != nil {
			return nil, err
		}
		if c == '#' {
			break
		}
		if len(raw) == maxPacket {
			return nil, fmt.Errorf("a packet of more than %d bytes", maxPacket)
		}
		raw = append(raw, c)
	}
	var sum [2]byte
	for i := range sum {
		c, err := in.ReadByte()
		if err != nil {
			return nil, err
		}
		sum[i] = c
	}
	if want, err := strconv.ParseUint(string(sum[:]), 16, 8); err != nil || byte(want) != checksum(raw) {
		return nil, errChecksum
	}
	return unescape(raw)
}

// unescape undoes "}x", which stands for x^0x20, and "c*n", which stands for c
// and n-29 more of it (gdb manual, Remote Protocol, Overview).
func unescape(raw []byte) ([]byte, error) {
	data := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '}' && c != '*' {
			data = append(data, c)
			continue
		}
		if i++; i == len(raw) {
			return nil, errors.New("a packet ends within an escape")
		}
		if c == '}' {
			data = append(data, raw[i]^0x20)
			continue
		}
		n := int(raw[i]) - 29
		if len(data) == 0 || n < 3 {
			return nil, fmt.Errorf("a run length of %d", n)
		}
		last := data[len(data)-1]
		for range n {
			data = append(data, last)
		}
	}
	return data, nil
}
