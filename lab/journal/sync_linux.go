package journal

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncAll puts on the disk what was written to the file's file system: a line of the
// log is worth little without its trial's evidence, which is in files of its own.
func syncAll(log *os.File) error { return unix.Syncfs(int(log.Fd())) }
