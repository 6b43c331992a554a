//go:build linux

package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"ghostlab/initramfs/wire"
)

// schedule sets what decides how the trial's threads will interleave.
func schedule(t wire.Trial) error {
	if t.Seed != 0 {
		if err := reseed(t.Seed); err != nil {
			return err
		}
	}
	if t.Slice > 0 {
		setSlice(t.Slice)
	}
	if t.Phase > 0 {
		time.Sleep(t.Phase)
	}
	return nil
}

// ioctls of /dev/random (include/uapi/linux/random.h).
const (
	rndAddEntropy = 0x40085203
	rndReseedCRNG = 0x5207
)

// reseed makes the kernel's generator start from seed: clones of one template
// would draw the same numbers. The entropy is credited, so that a kernel that
// does not believe itself seeded yet takes it.
func reseed(seed uint64) error {
	f, err := os.OpenFile("/dev/random", os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("reseed: %w", err)
	}
	defer f.Close()
	entropy := struct {
		bits, size int32
		bytes      [sha256.Size]byte
	}{8 * sha256.Size, sha256.Size, sha256.Sum256(binary.LittleEndian.AppendUint64(nil, seed))}
	for _, call := range []struct{ request, arg uintptr }{
		{rndAddEntropy, uintptr(unsafe.Pointer(&entropy))},
		{rndReseedCRNG, 0},
	} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), call.request, call.arg); errno != 0 {
			return fmt.Errorf("reseed: %w", errno)
		}
	}
	return nil
}

// settle is how long the machine is left alone before it is stopped: the
// kernel's own threads on the other vCPUs have gone to sleep by then, also where
// a vCPU does two instructions to a microsecond (50 ms were too short for that).
// It costs nothing: a machine in which all is idle goes on to its next timer.
const settle = 500 * time.Millisecond

// alone calls stop while all other vCPUs are idle. QEMU stops the one that asks
// at that instruction, but others would run on for a moment that the host
// decides, and no two templates were alike.
func alone(stop func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	threads := ownThreads()
	pin(threads, 1)
	t := syscall.NsecToTimespec(int64(settle))
	// Unseen by the Go scheduler, which would wake another thread. Its signals
	// interrupt it; what is left of the time is then in t.
	for errno := syscall.EINTR; errno == syscall.EINTR; {
		_, _, errno = syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&t)), uintptr(unsafe.Pointer(&t)), 0)
	}
	stop()
	pin(threads, ^uint64(0))
}

func ownThreads() (ids []int) {
	entries, _ := os.ReadDir("/proc/self/task")
	for _, e := range entries {
		if id, err := strconv.Atoi(e.Name()); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// pin lets threads run on the vCPUs of a mask only.
func pin(threads []int, mask uint64) {
	for _, id := range threads {
		syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, uintptr(id), unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask)))
	}
}

// setSlice makes the scheduler's time slices that long, and end on time: left
// alone it looks at the clock once a tick. What a kernel does not let itself be
// told is left as it is; the names changed in 6.6.
func setSlice(d time.Duration) {
	number := func(d time.Duration) string { return strconv.FormatInt(int64(d), 10) }
	for _, s := range []struct{ name, value string }{
		{"features", "HRTICK"},
		{"latency_ns", number(2 * d)}, // shared by all that can run: two have d each
		{"min_granularity_ns", number(d)},
		{"wakeup_granularity_ns", number(d)},
		{"base_slice_ns", number(d)},
	} {
		os.WriteFile(debugfs+"/sched/"+s.name, []byte(s.value), 0)
	}
}
