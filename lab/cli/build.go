package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ghostlab/images"
	"ghostlab/initramfs"
	"ghostlab/lab/usage"
	"ghostlab/scenarios"
)

func (a *app) buildCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "build [kernel|initramfs|image SCENARIO]",
		Short: "Build what a guest boots, and print where it is",
		Long: `Build what a guest boots, and print where it is: the kernel (also without an
argument), the initramfs' init, or an image, which is the kernel with an initramfs that
holds a scenario's program. What has been built before from the same inputs is taken
from the cache.`,
		Example: `  lab build                                   the kernel
  lab build kernel --kernel-source ~/src/linux
  lab build image ghost-map --go 1.24.6`,
		Args:      cobra.ArbitraryArgs,
		ValidArgs: []string{"kernel", "initramfs", "image"},
		RunE: func(cmd *cobra.Command, args []string) error {
			what := "kernel"
			if len(args) > 0 {
				what = args[0]
			}
			switch {
			case what == "kernel" && len(args) < 2:
				return a.buildKernel(cmd)
			case what == "initramfs" && len(args) < 2:
				return a.buildInit(cmd)
			case what == "image" && len(args) == 2:
				return a.buildImage(cmd, args[1])
			}
			return usage.New(fmt.Errorf("build: want kernel, initramfs or image SCENARIO, got %q", strings.Join(args, " ")), "`lab build --help` has examples")
		},
	}
	return cmd
}

func (a *app) buildKernel(cmd *cobra.Command) error {
	p, err := a.provider()
	if err != nil {
		return err
	}
	k, err := p.Kernel(cmd.Context(), true)
	p.Out.Close()
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "kernel   %s\nsource   %s\nimage    %s\nvmlinux  %s\nsha256   %s\n", k, k.Manifest.Source, k.Image(), k.Vmlinux(), k.Manifest.Image)
	return nil
}

func (a *app) buildInit(cmd *cobra.Command) error {
	p, err := a.provider()
	if err != nil {
		return err
	}
	path, err := initramfs.Init(cmd.Context(), p.Store)
	p.Out.Close()
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "init     %s\n", path)
	return nil
}

func (a *app) buildImage(cmd *cobra.Command, name string) error {
	s, err := scenarios.Find(a.cfg.Scenarios, name)
	if err != nil {
		return err
	}
	p, err := a.provider()
	if err != nil {
		return err
	}
	defer p.Out.Close()
	k, err := p.Kernel(cmd.Context(), true)
	if err != nil {
		return err
	}
	img, err := images.Ensure(cmd.Context(), p.Store, k, s.Program(), a.cfg.Go)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "kernel     %s\nimage      %s\ninitramfs  %s\nprogram    %s\ngo         %s\n", k, k.Image(), img.Initramfs, img.Program, a.cfg.Go)
	return nil
}
