//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"ghostlab/initramfs/wire"
)

// quitGrace is how long a program may take to print its goroutines after the
// SIGQUIT that its time limit brings.
const quitGrace = 2 * time.Second

// runTrial runs one program to its end, and everything it started to theirs.
// ready is called when the program stands before its first instruction.
func runTrial(t wire.Trial, ready func()) wire.Message {
	// ptrace belongs to a thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	end := wire.Message{Kind: wire.End, ID: t.ID, Result: &wire.Result{}}
	err := renounce()
	if err == nil {
		err = schedule(t)
	}
	if err != nil {
		end.Result.Error = err.Error()
		return end
	}
	out, err := newCapture()
	if err != nil {
		end.Result.Error = err.Error()
		return end
	}
	faults := openFaultLog()
	start := time.Now()
	pid, err := startStopped(t, out.end)
	if err == nil {
		faults.start(pid)
		ready()
		start = time.Now()
		err = syscall.PtraceDetach(pid)
	}
	syscall.Close(out.end)
	if err != nil {
		end.Result.Error = fmt.Sprintf("start %s: %v", t.Argv[0], err)
	} else {
		waitFor(pid, t.Timeout, end.Result)
		end.Result.Duration = time.Since(start)
	}
	killAll()
	end.Output, end.Result.Written = out.finish()

	failed := end.Result.Exit != 0 || end.Result.TimedOut
	end.Faults, end.Result.FaultsLost = faults.stop(failed || t.Faults)
	return end
}

// startStopped starts the program and returns when it stands before its first
// instruction: the kernel's fault records then begin with the program itself.
func startStopped(t wire.Trial, out int) (int, error) {
	null, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer syscall.Close(null)
	if len(t.Argv) == 0 {
		return 0, errors.New("no program")
	}
	dir := t.Dir
	if dir == "" {
		dir = "/tmp"
	}
	pid, err := syscall.ForkExec(t.Argv[0], t.Argv, &syscall.ProcAttr{
		Dir:   dir,
		Env:   t.Env,
		Files: []uintptr{uintptr(null), uintptr(out), uintptr(out)},
		Sys:   &syscall.SysProcAttr{Setsid: true, Ptrace: true},
	})
	if err != nil {
		return 0, err
	}
	var ws syscall.WaitStatus
	if _, err := wait4(pid, &ws); err != nil {
		return 0, err
	}
	if !ws.Stopped() {
		return 0, fmt.Errorf("wait status %#x, want stopped", ws)
	}
	return pid, nil
}

func waitFor(pid int, limit time.Duration, r *wire.Result) {
	var late atomic.Bool
	defer func() { r.TimedOut = late.Load() }()
	if limit > 0 {
		quit := time.AfterFunc(limit, func() {
			late.Store(true)
			syscall.Kill(pid, syscall.SIGQUIT)
		})
		kill := time.AfterFunc(limit+quitGrace, func() { syscall.Kill(-1, syscall.SIGKILL) })
		defer kill.Stop()
		defer quit.Stop()
	}
	for {
		var ws syscall.WaitStatus
		got, err := wait4(-1, &ws) // init is the parent of every orphan
		switch {
		case err != nil:
			r.Error = fmt.Sprintf("wait: %v", err)
			return
		case got != pid:
		case ws.Signaled():
			r.Exit, r.Signal = -1, int(ws.Signal())
			return
		case ws.Exited():
			r.Exit = ws.ExitStatus()
			return
		}
	}
}

// killAll ends whatever the program has left behind.
func killAll() {
	syscall.Kill(-1, syscall.SIGKILL)
	for {
		var ws syscall.WaitStatus
		if _, err := wait4(-1, &ws); err != nil {
			return // ECHILD: nothing is left
		}
	}
}

func wait4(pid int, ws *syscall.WaitStatus) (int, error) {
	for {
		got, err := syscall.Wait4(pid, ws, syscall.WALL, nil)
		if err != syscall.EINTR {
			return got, err
		}
	}
}

// cleanTmp gives the next trial the empty /tmp that this one had.
func cleanTmp() {
	for _, dir := range []string{"/tmp", "/dev/shm"} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}
