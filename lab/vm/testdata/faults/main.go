// Faults checks the kernel's lab_fault interface from inside: it provokes page
// faults at known distances from arrays it names and compares. The test on the
// host reads "ok" lines, and "not ok" ones with the reason.
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

const dir = "/sys/kernel/debug/lab_fault/"

func check(what string, err error) {
	if err != nil {
		fmt.Printf("not ok %s: %v\n", what, err)
		return
	}
	fmt.Printf("ok %s\n", what)
}

func main() {
	check("distances", distances())
	check("nearest", nearest())
	check("no arrays", noArrays())
	check("malformed", malformed())
	check("append and truncate", appendAndTruncate())
	check("1024 arrays", manyArrays())
	check("reset", reset())
	check("lost", lost())
	check("filter off", filterOff())
}

// fresh maps pages that nothing has touched.
func fresh(pages int) (uintptr, error) {
	addr, _, errno := syscall.Syscall6(syscall.SYS_MMAP, 0, uintptr(pages)*4096, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_PRIVATE|syscall.MAP_ANON, ^uintptr(0), 0)
	if errno != 0 {
		return 0, errno
	}
	const nohugepage = 15
	syscall.Syscall(syscall.SYS_MADVISE, addr, uintptr(pages)*4096, nohugepage)
	return addr, nil
}

func touch(addr uintptr) { *(*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&addr))) = 1 }

func write(file, text string) error { return os.WriteFile(dir+file, []byte(text), 0) }

func setBuckets(text string) error { return write("buckets", text) }

// record finds the fault at an address.
func record(addr uintptr) ([]string, error) {
	b, err := os.ReadFile(dir + "records")
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Split(string(b), "\n") {
		f := strings.Fields(line)
		if len(f) > 4 && f[4] == fmt.Sprintf("%#x", addr) {
			return f, nil
		}
	}
	return nil, fmt.Errorf("no record of %#x in %d bytes", addr, len(b))
}

func expect(addr uintptr, base string, distance string) error {
	f, err := record(addr)
	if err != nil {
		return err
	}
	if len(f) != 11 {
		return fmt.Errorf("want 11 fields, got %q", f)
	}
	if f[9] != base || f[10] != distance {
		return fmt.Errorf("fault at %#x: want array %s at %s, got %s at %s", addr, base, distance, f[9], f[10])
	}
	if f[1] != strconv.Itoa(os.Getpid()) {
		return fmt.Errorf("want tgid %d, got %s", os.Getpid(), f[1])
	}
	if f[8] != "rw-p" {
		return fmt.Errorf("want rw-p, got %s", f[8])
	}
	start, end, _ := strings.Cut(f[7], "-")
	s, _ := strconv.ParseUint(start, 16, 64)
	e, _ := strconv.ParseUint(end, 16, 64)
	if uint64(addr) < s || uint64(addr) >= e {
		return fmt.Errorf("%#x is not in the VMA %s", addr, f[7])
	}
	if ip, err := strconv.ParseUint(f[5], 0, 64); err != nil || ip < 0x10000 || ip > 0x1000000 {
		return fmt.Errorf("ip %s is not in the program", f[5])
	}
	return nil
}

func distances() error {
	p, err := fresh(16)
	if err != nil {
		return err
	}
	base := p + 8*4096
	if err := setBuckets(fmt.Sprintf("%#x 4096\n", base)); err != nil {
		return err
	}
	name := fmt.Sprintf("%#x", base)
	for _, d := range []int{0, 4096 + 24, -4096 + 8, 5 * 4096, -8 * 4096} {
		addr := uintptr(int(base) + d)
		touch(addr)
		if err := expect(addr, name, fmt.Sprintf("%+d", d)); err != nil {
			return err
		}
	}
	return nil
}

// nearest: the array that holds the address wins over one that begins closer.
func nearest() error {
	p, err := fresh(16)
	if err != nil {
		return err
	}
	a, b := p, p+8*4096
	if err := setBuckets(fmt.Sprintf("%#x %d\n%d 64\n", a, 8*4096, b)); err != nil {
		return err
	}
	touch(p + 7*4096 + 100)
	touch(p + 9*4096)
	if err := expect(p+7*4096+100, fmt.Sprintf("%#x", a), fmt.Sprintf("%+d", 7*4096+100)); err != nil {
		return err
	}
	return expect(p+9*4096, fmt.Sprintf("%#x", b), "+4096")
}

func noArrays() error {
	p, err := fresh(1)
	if err != nil {
		return err
	}
	if err := setBuckets(""); err != nil {
		return err
	}
	touch(p)
	return expect(p, "-", "-")
}

func malformed() error {
	for _, w := range []struct{ file, text string }{
		{"filter", "x"}, {"filter", "-1"}, {"filter", "1 2"}, {"filter", "99999999999"}, {"filter", "\n"},
		{"reset", "0"}, {"reset", "yes"},
		{"buckets", "0x1000"}, {"buckets", "0x1000 "}, {"buckets", "0x1000 x"}, {"buckets", "x 64"},
		{"buckets", "0x1000 0"}, {"buckets", "0x1000 64 7"}, {"buckets", "0xffffffffffffffff 2"},
		{"buckets", "0x1000 64\n0x2000"}, {"buckets", "0x1000 64\x00"}, {"buckets", strings.Repeat("a", 200000)},
	} {
		before, _ := os.ReadFile(dir + "filter")
		if err := write(w.file, w.text); !errors.Is(err, syscall.EINVAL) {
			return fmt.Errorf("%q to %s: want EINVAL, got %v", w.text[:min(len(w.text), 40)], w.file, err)
		}
		if after, _ := os.ReadFile(dir + "filter"); string(after) != string(before) {
			return fmt.Errorf("%q to %s changed the filter to %s", w.text, w.file, after)
		}
	}
	b, err := os.ReadFile(dir + "buckets")
	if err == nil && len(b) != 0 {
		err = fmt.Errorf("refused lines were taken: %q", b)
	}
	return err
}

func appendAndTruncate() error {
	f, err := os.OpenFile(dir+"buckets", os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	fmt.Fprintf(f, "0x1000 64\n")
	fmt.Fprintf(f, "0x2000 128")
	f.Close()
	b, _ := os.ReadFile(dir + "buckets")
	if string(b) != "0x1000 64\n0x2000 128\n" {
		return fmt.Errorf("got %q", b)
	}
	if err := setBuckets("0x3000 1\n"); err != nil {
		return err
	}
	b, _ = os.ReadFile(dir + "buckets")
	if string(b) != "0x3000 1\n" {
		return fmt.Errorf("after O_TRUNC: got %q", b)
	}
	return nil
}

func manyArrays() error {
	p, err := fresh(1)
	if err != nil {
		return err
	}
	var text strings.Builder
	for i := 0; i < 1023; i++ {
		fmt.Fprintf(&text, "%#x 16\n", 0x1000+i*16)
	}
	fmt.Fprintf(&text, "%#x 16\n", p-1600)
	if err := setBuckets(text.String()); err != nil {
		return err
	}
	touch(p)
	return expect(p, fmt.Sprintf("%#x", p-1600), "+1600")
}

func reset() error {
	if err := write("reset", "1\n"); err != nil {
		return err
	}
	b, err := os.ReadFile(dir + "records")
	if n := strings.Count(string(b), "\n"); n > 50 {
		return fmt.Errorf("%d records just after a reset", n)
	}
	return err
}

func lost() error {
	const pages = 20000
	if err := setBuckets(""); err != nil {
		return err
	}
	if err := write("reset", "1"); err != nil {
		return err
	}
	p, err := fresh(pages)
	if err != nil {
		return err
	}
	for i := uintptr(0); i < pages; i++ {
		touch(p + i*4096)
	}
	b, err := os.ReadFile(dir + "records")
	if err != nil {
		return err
	}
	l, _ := os.ReadFile(dir + "lost")
	lost, err := strconv.Atoi(strings.TrimSpace(string(l)))
	kept := strings.Count(string(b), "\n")
	if err != nil || kept >= pages || kept < 1024 || kept+lost < pages || kept+lost > pages+2000 {
		return fmt.Errorf("%d faults: %d kept, %q lost (%v)", pages, kept, l, err)
	}
	return nil
}

func filterOff() error {
	if err := write("filter", "0"); err != nil {
		return err
	}
	if err := write("reset", "1"); err != nil {
		return err
	}
	p, err := fresh(10)
	if err != nil {
		return err
	}
	for i := uintptr(0); i < 10; i++ {
		touch(p + i*4096)
	}
	if b, _ := os.ReadFile(dir + "records"); len(b) != 0 {
		return fmt.Errorf("recorded with filter 0: %q", b)
	}
	return nil
}
