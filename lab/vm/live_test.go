package vm

import (
	"os"
	"slices"
	"testing"

	"ghostlab/images"
	"ghostlab/initramfs/wire"
)

// A clone that is prepared stands still until lab lets it go: a debugger that came and
// left would do that too early. While its trial runs others see it.
func TestGuestsThatAreOnlyPreparedAreNotListed(t *testing.T) {
	cfg := template(t, Engine{}, 2)
	cfg.Dir = t.TempDir()
	cfg.Spec.Trials = []wire.Trial{{ID: 1, Argv: []string{images.ProgramPath}, Timeout: cfg.Silence}}
	g, err := Prepare(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	listed := func() bool {
		return slices.ContainsFunc(Guests(), func(l Live) bool { return l.PID == g.proc.PID() })
	}
	if listed() {
		t.Error("a guest that is only prepared is listed")
	}
	seen := false
	if _, err := g.Run(t.Context(), func(Message) { seen = seen || listed() }); err != nil {
		t.Fatal(err)
	}
	if !seen {
		t.Error("a guest that runs is not listed")
	}
	if _, err := os.Stat(g.dir.path); err != nil {
		t.Errorf("the guest's folder went before Close: %v", err)
	}
}
