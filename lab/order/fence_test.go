package order

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"ghostlab/lab/store"
)

// instructions are those that the plugin must put a fence after, and others like them.
// An atomic one is a fence already where the host is an x86.
var instructions = []struct {
	text  string
	needs need
}{
	{"stlrb w1, [x2]", always}, {"stlrh w1, [x2]", always}, {"stlr w1, [x2]", always}, {"stlr x1, [sp]", always}, {"stllr w1, [x2]", always},
	{"stlur x1, [x2, #-8]", always}, {"stlurb w1, [x2]", always},

	{"stlxrb w5, w1, [x2]", unlessFence}, {"stlxr w5, x1, [x2]", unlessFence}, {"stlxp w5, x1, x3, [x2]", unlessFence},
	{"casl w0, w1, [x2]", unlessFence}, {"casalb w0, w1, [x2]", unlessFence}, {"casal x0, x1, [x2]", unlessFence},
	{"caspl x0, x1, x2, x3, [x4]", unlessFence}, {"caspal w0, w1, w2, w3, [x4]", unlessFence},
	{"swpl w0, w1, [x2]", unlessFence}, {"swpalb w0, w1, [x2]", unlessFence}, {"stclrl x0, [x2]", unlessFence},
	{"ldaddl w0, w1, [x2]", unlessFence}, {"ldaddal x0, x1, [x2]", unlessFence}, {"ldclral x0, x1, [x2]", unlessFence}, {"ldsmaxalh w0, w1, [x2]", unlessFence},

	{"ldar x1, [x2]", never}, {"ldarb w1, [x2]", never}, {"ldlar x1, [x2]", never}, {"ldapr x1, [x2]", never}, {"ldapur x1, [x2]", never},
	{"ldaxr x1, [x2]", never}, {"ldaxp x1, x3, [x2]", never}, {"ldxr x1, [x2]", never}, {"ldxp x1, x3, [x2]", never},
	{"stxr w5, w1, [x2]", never}, {"stxp w5, x1, x3, [x2]", never},
	{"cas w0, w1, [x2]", never}, {"casa w0, w1, [x2]", never}, {"casp x0, x1, x2, x3, [x4]", never}, {"caspa x0, x1, x2, x3, [x4]", never},
	{"swp w0, w1, [x2]", never}, {"swpa w0, w1, [x2]", never}, {"ldadd w0, w1, [x2]", never}, {"ldadda w0, w1, [x2]", never}, {"stadd w0, [x2]", never},
	{"str x1, [x2]", never}, {"str x1, [x2, x3]", never}, {"stp x1, x3, [x2]", never}, {"stur x1, [x2, #3]", never}, {"stg x1, [x2]", never},
	{"ldr x1, [x2]", never}, {"ldrsw x1, [x2, #4]", never}, {"ldraa x1, [x2]", never},
	{"dmb ish", never}, {"nop", never},
}

type need int

const (
	never need = iota
	always
	unlessFence // where the host's atomic instructions are none
)

// emulator is what the plugin needs of QEMU: it hands it a block of instructions and
// prints the numbers of those after whose stores something is executed.
const emulator = `
#include <stdio.h>
static uint32_t words[256];
static size_t n;
static void (*translate)(uint64_t, struct qemu_plugin_tb *);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*cb)(uint64_t, struct qemu_plugin_tb *)) { translate = cb; }
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb) { return n; }
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i) { return (struct qemu_plugin_insn *)&words[i]; }
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn) { return 4; }
#if INTERFACE >= 3
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *to, size_t length) { memcpy(to, insn, length); return length; }
#else
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn) { return insn; }
#endif
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, void (*cb)(unsigned, uint32_t, uint64_t, void *), int flags, int rw, void *data)
{
	cb(0, 0, 0, data);
	if (rw & 2)
		printf("%zu\n", (size_t)((uint32_t *)insn - words));
}
int main(void)
{
	while (scanf("%x", &words[n]) == 1)
		n++;
	if (qemu_plugin_version != INTERFACE || qemu_plugin_install(7, 0, 0, 0))
		return 1;
	translate(7, 0);
	return 0;
}
`

func TestFenceStandsAfterEachStoreRelease(t *testing.T) {
	cc, err := findCompiler()
	if err != nil {
		t.Skip(err)
	}
	words := assemble(t)
	dir := t.TempDir()
	for _, c := range []struct{ interfaceVersion, atomicsFence int }{{1, 1}, {2, 1}, {3, 1}, {1, 0}, {3, 0}} {
		program := filepath.Join(dir, fmt.Sprint("plugin-", c.interfaceVersion, c.atomicsFence))
		build := exec.Command(cc, fmt.Sprintf("-DINTERFACE=%d", c.interfaceVersion), fmt.Sprintf("-DATOMICS_FENCE=%d", c.atomicsFence), "-Wall", "-Werror", "-o", program, "-x", "c", "-")
		build.Stdin = strings.NewReader(source + emulator)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		run := exec.Command(program)
		run.Stdin = strings.NewReader(words)
		out, err := run.Output()
		if err != nil {
			t.Fatal(err)
		}
		fenced := map[string]bool{}
		for _, n := range strings.Fields(string(out)) {
			fenced[n] = true
		}
		for i, in := range instructions {
			want := in.needs == always || in.needs == unlessFence && c.atomicsFence == 0
			if got := fenced[fmt.Sprint(i)]; got != want {
				t.Errorf("interface %d, atomic instructions that fence %d: %s: fenced %v, want %v", c.interfaceVersion, c.atomicsFence, in.text, got, want)
			}
		}
	}
}

var objdumpLine = regexp.MustCompile(`(?m)^ +[0-9a-f]+:\s+([0-9a-f]{8})\s`)

// assemble returns the instructions as words, in hexadecimal.
func assemble(t *testing.T) string {
	t.Helper()
	prefix := "aarch64-linux-gnu-"
	if runtime.GOARCH == "arm64" {
		prefix = ""
	}
	if _, err := exec.LookPath(prefix + "objdump"); err != nil {
		t.Skip(err)
	}
	var text bytes.Buffer
	fmt.Fprintln(&text, ".arch armv8.5-a+rcpc+memtag")
	for _, in := range instructions {
		fmt.Fprintln(&text, in.text)
	}
	object := filepath.Join(t.TempDir(), "words.o")
	as := exec.Command(prefix+"as", "-o", object, "-")
	as.Stdin = &text
	if out, err := as.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(prefix+"objdump", "-d", object).Output()
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, m := range objdumpLine.FindAllStringSubmatch(string(out), -1) {
		words = append(words, m[1])
	}
	if len(words) != len(instructions) {
		t.Fatalf("%d words of %d instructions:\n%s", len(words), len(instructions), out)
	}
	return strings.Join(words, "\n")
}

// hostPrograms makes these the only programs of the host, each a shell script.
func hostPrograms(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, body := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

func TestFenceSaysWhyThereIsNone(t *testing.T) {
	const takes = "echo QEMU emulator version 7.2.22"
	const compiles = `case "$1" in --version) echo "cc 1.0" ;; *) while [ "$1" != -o ]; do shift; done; echo plugin > "$2" ;; esac`
	for name, c := range map[string]struct {
		scripts map[string]string
		want    string // empty where there is one
	}{
		"a compiler and plugins": {map[string]string{"qemu": takes, "gcc": compiles}, ""},
		"no compiler":            {map[string]string{"qemu": takes}, "no C compiler"},
		"no plugins": {map[string]string{"gcc": compiles, "qemu": `echo "qemu: -plugin file=none: plugin interface not enabled in this build" >&2; exit 1`},
			"takes no plugins: qemu: -plugin file=none: plugin interface not enabled in this build"},
		"a compiler that fails": {map[string]string{"qemu": takes, "cc": `case "$1" in --version) echo "cc 1.0" ;; *) echo "fatal error: stdint.h: No such file" >&2; exit 1 ;; esac`},
			"fatal error: stdint.h"},
	} {
		t.Run(name, func(t *testing.T) {
			hostPrograms(t, c.scripts)
			st, err := store.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			file, err := Fence(t.Context(), st, "qemu", "7.2.22")
			if c.want == "" {
				if _, stat := os.Stat(file); err != nil || stat != nil {
					t.Errorf("%q, %v, %v", file, err, stat)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			// A run goes on without it, and knows why.
			fence, m, err := Ensure(t.Context(), Test{Store: st, QEMU: "qemu", Version: "7.2.22"})
			if err != nil || fence != "" || m.Fence != "" || !strings.Contains(m.Why, c.want) {
				t.Errorf("%q, %+v, %v", fence, m, err)
			}
		})
	}
}

// A full disk is no property of the host, which a result would remember.
func TestFullDiskIsNoLackOfAFence(t *testing.T) {
	hostPrograms(t, map[string]string{"qemu": ":", "cc": `case "$1" in --version) echo "cc 1.0" ;; *) echo "cc: fatal error: error writing to /tmp/x.s: No space left on device" >&2; exit 1 ;; esac`})
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, m, err := Ensure(t.Context(), Test{Store: st, QEMU: "qemu", Version: "7.2.22"}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%+v, %v", m, err)
	}
}
