package vm

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// guestDigest identifies a snapshotted guest by its memory and its clock. The
// rest of its state holds times of the host's too, and follows from these: the
// machine always stops at the same instruction.
func guestDigest(ram string, clock []byte) (string, error) {
	h := sha256.New()
	if err := hashMemory(h, ram); err != nil {
		return "", err
	}
	h.Write(clock)
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hashMemory hashes the pages of a sparse file that are not zero, each with its
// place, so that holes and pages of zeros are the same.
func hashMemory(h io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	zero := make([]byte, 4096)
	page := make([]byte, 4096)
	at := int64(0)
	for {
		at, err = unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil // only a hole is left
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		end, err := unix.Seek(int(f.Fd()), at, unix.SEEK_HOLE)
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		data := io.NewSectionReader(f, at, end-at)
		for ; at < end; at += int64(len(page)) {
			if _, err := io.ReadFull(data, page); err != nil {
				return fmt.Errorf("read %s: %w", path, err)
			}
			if bytes.Equal(page, zero) {
				continue
			}
			h.Write(binary.LittleEndian.AppendUint64(nil, uint64(at)))
			h.Write(page)
		}
	}
}
