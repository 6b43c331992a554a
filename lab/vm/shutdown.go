package vm

import (
	"context"
	"strings"
	"time"

	"ghostlab/lab/qemu"
)

// watchShutdown listens on QMP for the reason of the guest's end. The channel
// gives it once QEMU has ended; it is empty when QMP could not tell.
func (g *guest) watchShutdown(ctx context.Context) <-chan string {
	why := make(chan string, 1)
	mon := qemu.NewMonitor(g.dir.file("qmp"))
	if !g.connect(mon) {
		why <- ""
		return why
	}
	g.mon = mon
	events, err := mon.Events(ctx)
	if err != nil {
		why <- ""
		return why
	}
	go func() {
		reason := ""
		for e := range events {
			if s, ok := e.Data["reason"].(string); ok && e.Event == "SHUTDOWN" {
				reason = s
			}
		}
		why <- reason
	}()
	return why
}

// connect waits for QEMU to create its socket, or to end.
func (g *guest) connect(mon *qemu.Monitor) bool {
	for range 2000 {
		if mon.Connect() == nil {
			return true
		}
		select {
		case <-g.proc.Done():
			return false
		case <-time.After(2 * time.Millisecond):
		}
	}
	return false
}

func lastLines(b []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	for i, l := range lines {
		lines[i] = "  " + strings.TrimRight(l, "\r")
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
