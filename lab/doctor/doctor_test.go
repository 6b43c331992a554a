package doctor

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// programs makes these the only programs of the host, each a shell script.
func programs(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, body := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

func TestVersions(t *testing.T) {
	programs(t, map[string]string{
		"gcc":    "echo 'gcc (Debian 12.2.0-14+deb12u1) 12.2.0'",
		"bc":     "echo 'bc 1.07.1'; echo 'Copyright 1991-1994, 1997'",
		"perl":   "echo v5.36.0 >&2",
		"silent": ":",
		"broken": "echo 1.2.3; exit 1",
	})
	for name, want := range map[string]string{"gcc": "12.2.0-14+deb12u1", "bc": "1.07.1", "perl": "5.36.0", "silent": "present"} {
		if got, err := says(name, "--version")(t.Context()); got != want || err != nil {
			t.Errorf("%s is %q, want %q (%v)", name, got, want, err)
		}
	}
	if v, err := says("broken")(t.Context()); err == nil {
		t.Errorf("a program that fails is %q", v)
	}
	for what, probe := range map[string]func() error{
		"says":    func() error { _, err := says("none")(t.Context()); return err },
		"present": func() error { _, err := present("none")(t.Context()); return err },
		"qemu":    func() error { _, err := qemuVersion("none")(t.Context()); return err },
		"go":      func() error { _, err := goVersion(t.Context()); return err },
	} {
		if err := probe(); !errors.Is(err, exec.ErrNotFound) {
			t.Errorf("%s of a program that is not there: %v", what, err)
		}
	}
}

func TestGoThatCannotFetchToolchainsIsMissing(t *testing.T) {
	for printed, want := range map[string]string{
		"go1.26.0":              "1.26.0",
		"go1.21rc2":             "1.21rc2",
		"go1.21":                "1.21",
		"devel go1.27-6d7c2b1f": "devel go1.27-6d7c2b1f",
		"go1.20.14":             "", // refused
		"go1.9":                 "",
	} {
		programs(t, map[string]string{"go": "echo '" + printed + "'"})
		got, err := goVersion(t.Context())
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", printed, got, err)
		}
		if err != nil && !strings.Contains(err.Error(), "want 1.21 or newer") {
			t.Errorf("%s: %v", printed, err)
		}
	}
}

func TestQEMUWithoutTheMailboxIsMissing(t *testing.T) {
	const qemu = `case "$1" in
--version) echo 'QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg)' ;;
-device) echo 'name "virtio-net-pci", bus PCI'; echo 'name "DEVICE", bus PCI' ;;
esac`
	programs(t, map[string]string{
		"good": strings.Replace(qemu, "DEVICE", "ivshmem-plain", 1),
		"bare": strings.Replace(qemu, "DEVICE", "ivshmem-doorbell", 1),
	})
	if v, err := qemuVersion("good")(t.Context()); v != "7.2.22" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	if _, err := qemuVersion("bare")(t.Context()); err == nil || !strings.Contains(err.Error(), "found 7.2.22 without the device ivshmem-plain") {
		t.Errorf("got %v", err)
	}
}

func TestPluginsNeedACompilerAndAQEMUThatTakesThem(t *testing.T) {
	const takes, bare = ":", `case "$1" in -plugin) echo "plugin interface not enabled in this build"; exit 1 ;; esac`
	for _, c := range []struct {
		scripts map[string]string
		want    string
	}{
		{map[string]string{"qemu": takes, "cc": ":"}, ""},
		{map[string]string{"qemu": takes}, "no C compiler"},
		{map[string]string{"qemu": bare, "cc": ":"}, "not enabled"},
		{map[string]string{"cc": ":"}, "not found"},
	} {
		programs(t, c.scripts)
		v, err := plugins("qemu")(t.Context())
		if c.want == "" && (v != "compiled by cc" || err != nil) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: %q, %v", c.scripts, v, err)
		}
	}
}

func TestDetect(t *testing.T) {
	for _, c := range []struct {
		tools []string
		want  Manager
	}{
		{nil, ""},
		{[]string{"apt-get"}, Apt},
		{[]string{"dnf"}, Dnf},
		{[]string{"pacman"}, Pacman},
		{[]string{"brew"}, Brew},
		{[]string{"brew", "apt-get"}, Apt}, // Homebrew on Linux is not the host's own
	} {
		scripts := map[string]string{}
		for _, tool := range c.tools {
			scripts[tool] = ":"
		}
		programs(t, scripts)
		if got := Detect(); got != c.want {
			t.Errorf("with %q: %q, want %q", c.tools, got, c.want)
		}
	}
}

func TestCommand(t *testing.T) {
	sudo := "sudo "
	if os.Geteuid() == 0 {
		sudo = ""
	}
	for _, c := range []struct {
		m        Manager
		packages []string
		want     string
	}{
		{Apt, []string{"flex", "bison"}, sudo + "apt-get install -y flex bison"},
		{Dnf, []string{"flex"}, sudo + "dnf install -y flex"},
		{Pacman, []string{"flex"}, sudo + "pacman -S --needed --noconfirm flex"},
		{Brew, []string{"flex"}, "brew install flex"}, // refuses to run as root
		{Apt, nil, ""},
		{"", []string{"flex"}, ""},
	} {
		if got := c.m.Command(c.packages); got != c.want {
			t.Errorf("%s of %q: %q, want %q", c.m, c.packages, got, c.want)
		}
	}
}

// A tool without a package would be missing with no command to mend it.
func TestEveryToolCanBeInstalled(t *testing.T) {
	for _, h := range []Host{{"qemu-system-aarch64", "aarch64-linux-gnu-"}, {"qemu-system-aarch64", ""}} {
		seen := map[string]bool{}
		for _, tool := range Tools(h) {
			for m := range install {
				if len(tool.Packages[m]) == 0 {
					t.Errorf("%s has no package of %s", tool.Name, m)
				}
			}
			if tool.Name == "" || tool.For == "" {
				t.Errorf("%+v", tool)
			}
			seen[tool.Name] = true
		}
		if !seen[h.QEMU] || !seen[h.CrossCompile+"gcc"] || !seen[h.CrossCompile+"ld"] {
			t.Errorf("of %+v not all programs are looked for: %v", h, seen)
		}
	}
}

// `make setup` and `lab doctor` must mean the same host.
func TestSetupInstallsWhatDoctorMisses(t *testing.T) {
	script, err := os.ReadFile("../setup.sh")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.FieldsFunc(string(script), func(r rune) bool { return strings.ContainsRune(" \t\n\"", r) })
	for _, tool := range Tools(Host{"qemu-system-aarch64", "aarch64-linux-gnu-"}) {
		for _, p := range tool.Packages[Apt] {
			if !slices.Contains(words, p) {
				t.Errorf("setup.sh does not install %s, which %s is in", p, tool.Name)
			}
		}
	}
}

func TestExamineKeepsTheOrder(t *testing.T) {
	programs(t, map[string]string{"b": "echo 2.0"})
	found := Examine(t.Context(), []Tool{{Name: "a", probe: says("a")}, {Name: "b", probe: says("b")}})
	if len(found) != 2 || found[0].Name != "a" || found[0].Err == nil || found[1].Version != "2.0" || found[1].Err != nil {
		t.Errorf("got %+v", found)
	}
}
