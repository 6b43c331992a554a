package cli

import (
	"context"
	"errors"
	"fmt"
	osexec "os/exec"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"ghostlab/kernels"
	"ghostlab/lab/doctor"
	"ghostlab/lab/provision"
	"ghostlab/lab/store"
	"ghostlab/lab/toolchain"
)

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "List what the lab needs on this host, and the command that installs what is missing",
		Long: `List what the lab needs on this host, and the command that installs what is missing.
The exit code is 0 when ` + "`lab run`" + ` can work. Nothing is changed and nothing is fetched;
servers are asked whether they have the kernel's sources.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context()) },
	}
}

func (a *app) doctor(ctx context.Context) error {
	found := doctor.Examine(ctx, doctor.Tools(doctor.Host{QEMU: a.cfg.QEMU, CrossCompile: a.cfg.CrossCompile}))
	manager := doctor.Detect()
	var packages []string
	ok := true
	t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	line := func(state, name, what, detail string) { fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", state, name, what, detail) }
	for _, f := range found {
		switch {
		case f.Err == nil:
			line("ok", f.Name, f.Version, f.For)
			continue
		case f.Optional:
			line("optional", f.Name, why(f.Err), "only for "+f.For)
		default:
			ok = false
			line("missing", f.Name, why(f.Err), "for "+f.For)
		}
		for _, p := range f.Packages[manager] {
			if !slices.Contains(packages, p) {
				packages = append(packages, p)
			}
		}
	}
	if words, err := goRelease(ctx, a.cfg.Go); err != nil {
		ok = false
		line("missing", "Go "+a.cfg.Go, "", why(err))
	} else {
		line("ok", "Go "+a.cfg.Go, a.cfg.Go, words)
	}
	source, err := a.kernelSource(ctx)
	if err != nil {
		ok = false
		line("missing", "kernel "+a.cfg.Kernel, "", why(err))
	} else {
		line("ok", "kernel "+a.cfg.Kernel, "", "booting guests: "+source)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if cmd := manager.Command(packages); cmd != "" {
		fmt.Fprintf(a.stdout, "\ninstall what is missing:\n  %s\n", cmd)
	} else if len(packages) == 0 && manager == "" && !ok {
		fmt.Fprintf(a.stdout, "\nno package manager of apt, dnf, pacman and brew was found; install the missing tools by hand\n")
	}
	if !ok {
		if h := hintOf(err); h != "" {
			fmt.Fprintf(a.stdout, "\nhint: %s\n", h)
		}
		return silentError{exitInfra}
	}
	_, err = fmt.Fprintf(a.stdout, "\nnothing that `lab run` needs is missing\n")
	return err
}

// goRelease says what a Go release is for, and whether it is on this host yet.
func goRelease(ctx context.Context, version string) (string, error) {
	const use = "compiling the program under test"
	installed, err := toolchain.Installed(ctx, version)
	if err != nil || installed {
		return use, err
	}
	proxy, err := toolchain.Ask(ctx, "GOPROXY")
	if err == nil && proxy[0] == "off" {
		err = errors.New("not installed, and GOPROXY=off keeps the go command from fetching it")
	}
	return use + "; not installed, `lab run` fetches it as a module, about 70 MB", err
}

// kernelSource says where the kernel would come from, without building it.
func (a *app) kernelSource(ctx context.Context) (string, error) {
	f, err := kernels.Locate(ctx, store.Look(a.cfg.Cache), provision.KernelOptions(*a.cfg, true))
	if err != nil {
		return "", err
	}
	words := f.String()
	if f.Why != "" {
		words += "; " + f.Asked + " cannot be had: " + f.Why
	}
	return words, nil
}

func why(err error) string {
	if errors.Is(err, osexec.ErrNotFound) {
		return "not found"
	}
	return err.Error()
}
