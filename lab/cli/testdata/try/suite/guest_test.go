package suite_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// What follows is true of a Linux server, and so of the guest.

func TestSystemCalls(t *testing.T) {
	// include/uapi/asm-generic/unistd.h
	for name, number := range map[string]uintptr{
		"io_setup": 0, "eventfd2": 19, "epoll_create1": 20, "inotify_init1": 26, "signalfd4": 74, "timerfd_create": 85,
		"unshare": 97, "mq_open": 180, "msgget": 186, "semget": 190, "shmget": 194, "madvise": 233, "perf_event_open": 241,
		"fanotify_init": 262, "name_to_handle_at": 264, "setns": 268, "process_vm_readv": 270, "kcmp": 272, "seccomp": 277,
		"memfd_create": 279, "userfaultfd": 282, "membarrier": 283, "rseq": 293, "io_uring_setup": 425, "pidfd_open": 434,
		"clone3": 435,
	} {
		const none = ^uintptr(0)
		if _, _, errno := syscall.RawSyscall6(number, none, none, none, none, none, none); errno == syscall.ENOSYS {
			t.Errorf("%s: %v", name, errno)
		}
	}
}

func TestFilesOfASystem(t *testing.T) {
	for _, name := range []string{
		"/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "/dev/ptmx", "/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/fd/0",
		"/proc/self/maps", "/proc/self/smaps", "/proc/self/io", "/proc/self/schedstat", "/proc/self/cgroup", "/proc/self/mountinfo",
		"/proc/self/ns/net", "/proc/self/task", "/proc/cpuinfo", "/proc/meminfo", "/proc/vmstat", "/proc/loadavg", "/proc/net/tcp6",
		"/proc/net/unix", "/proc/sysvipc/shm", "/proc/sys/net/core/somaxconn", "/proc/sys/kernel/random/boot_id",
		"/sys/fs/cgroup/cgroup.controllers", "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "/sys/kernel/mm/hugepages",
		"/sys/devices/system/cpu/online", "/sys/class/net/lo",
		"/etc/hosts", "/etc/resolv.conf", "/etc/os-release", "/etc/machine-id", os.TempDir(), os.Getenv("HOME"),
	} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setxattr(file, "trusted.word", []byte("word"), 0); err != nil {
		t.Errorf("set an extended attribute: %v", err)
	}
}

func TestLimits(t *testing.T) {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Max < 1<<19 {
		t.Errorf("%d files may be open, %v", files.Max, err)
	}
	if text, err := os.ReadFile("/proc/sys/kernel/pid_max"); err != nil || number(string(text)) < 1<<15 {
		t.Errorf("%s threads, %v", text, err)
	}
}

func TestUser(t *testing.T) {
	u, err := user.Current()
	if err != nil || u.Username != "root" || u.HomeDir != os.Getenv("HOME") || os.Getenv("USER") != "root" {
		t.Errorf("user %v, %v", u, err)
	}
	if g, err := user.LookupGroupId("0"); err != nil || g.Name != "root" {
		t.Errorf("group %v, %v", g, err)
	}
	if name, err := os.Hostname(); err != nil || name != "lab" {
		t.Errorf("host %s, %v", name, err)
	}
}

func TestTime(t *testing.T) {
	if zone, offset := time.Now().Zone(); zone != "UTC" || offset != 0 {
		t.Errorf("time zone %s", zone)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	if zone, offset := time.Unix(0, 0).In(berlin).Zone(); zone != "CET" || offset != 3600 {
		t.Errorf("Berlin is at %s, %d s", zone, offset)
	}
}

func TestProcessors(t *testing.T) {
	if runtime.GOARCH != "arm64" {
		t.Errorf("runs on %s", runtime.GOARCH)
	}
	if want := os.Getenv("WANT_PROCS"); want != "" && want != fmt.Sprint(runtime.GOMAXPROCS(0)) {
		t.Errorf("GOMAXPROCS is %d, want %s", runtime.GOMAXPROCS(0), want)
	}
}

func TestNames(t *testing.T) {
	addrs, err := net.LookupHost("localhost")
	if all := strings.Join(addrs, " "); err != nil || !strings.Contains(all, "127.0.0.1") || !strings.Contains(all, "::1") {
		t.Errorf("localhost is %v, %v", addrs, err)
	}
	if port, err := net.LookupPort("tcp", "postgresql"); err != nil || port != 5432 {
		t.Errorf("postgresql is port %d, %v", port, err)
	}
	start := time.Now()
	if addrs, err := net.LookupHost("nowhere.invalid"); err == nil || time.Since(start) > 2*time.Second {
		t.Errorf("nowhere is %v, said after %v", addrs, time.Since(start))
	}
}

func TestSockets(t *testing.T) {
	for network, address := range map[string]string{
		"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0", "unix": filepath.Join(t.TempDir(), "socket"),
	} {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Error(err)
			continue
		}
		c, err := net.Dial(network, l.Addr().String())
		if err != nil {
			t.Error(err)
		} else {
			c.Close()
		}
		l.Close()
	}
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	group, err := net.ListenMulticastUDP("udp4", lo, &net.UDPAddr{IP: net.IPv4(224, 0, 0, 254)})
	if err != nil {
		t.Error(err)
	} else {
		group.Close()
	}
	packet, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW, 0)
	if err != nil {
		t.Errorf("packet socket: %v", err)
	}
	syscall.Close(packet)
}

func TestTerminal(t *testing.T) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	var n, unlock uint32
	for request, value := range map[uintptr]*uint32{syscall.TIOCGPTN: &n, syscall.TIOCSPTLCK: &unlock} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(unsafe.Pointer(value))); errno != 0 {
			t.Fatal(errno)
		}
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	tty.Close()
}

func TestNamespaces(t *testing.T) {
	self(t, &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUSER,
	})
}

func TestGroupWithLimits(t *testing.T) {
	dir := "/sys/fs/cgroup/small"
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	defer syscall.Rmdir(dir)
	for name, value := range map[string]string{"memory.max": "67108864", "pids.max": "100", "cpuset.cpus": "0"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0); err != nil {
			t.Error(err)
		}
	}
	group, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	self(t, &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd())})
}

// self runs this program, without any of its tests, as attr says.
func self(t *testing.T, attr *syscall.SysProcAttr) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.SysProcAttr = attr
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func number(text string) int {
	n, _ := strconv.Atoi(strings.TrimSpace(text))
	return n
}
