//go:build linux

package main

import (
	"bytes"
	"os"
	"strconv"
)

// faultLog is the kernel's lab_fault interface, see kernels/patches. A kernel
// without it gives no records.
type faultLog struct{ present bool }

const labFault = debugfs + "/lab_fault/"

func openFaultLog() faultLog {
	_, err := os.Stat(labFault + "filter")
	return faultLog{present: err == nil}
}

// start records the page faults of the process from now on.
func (l faultLog) start(tgid int) {
	if !l.present {
		return
	}
	os.WriteFile(labFault+"buckets", nil, 0) // opening it with O_TRUNC forgets the last trial's
	os.WriteFile(labFault+"reset", []byte("1"), 0)
	os.WriteFile(labFault+"filter", strconv.AppendInt(nil, int64(tgid), 10), 0)
}

// stop ends the recording and returns the records, when wanted, and the number
// of those that were lost.
func (l faultLog) stop(wanted bool) (records []byte, lost int64) {
	if !l.present {
		return nil, 0
	}
	os.WriteFile(labFault+"filter", []byte("0"), 0)
	if !wanted {
		return nil, 0
	}
	records, _ = os.ReadFile(labFault + "records")
	b, _ := os.ReadFile(labFault + "lost")
	lost, _ = strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 64)
	return records, lost
}
