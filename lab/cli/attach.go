package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ghostlab/lab/vm"
)

func (a *app) psCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ps",
		Short: "List the guests that run now",
		Long: `List the guests that run now, in all labs of this user: those of a running matrix,
those kept by --hold-on, debugging sessions and shells.`,
		Example: `  lab ps
  lab ps --json
  lab attach 2375701420                  the first column names a guest`,
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			guests := vm.Guests()
			if asJSON {
				return a.listJSON(guests)
			}
			return a.list(guests)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func (a *app) listJSON(guests []vm.Live) error {
	type line struct {
		Name   string `json:"name"`
		Socket string `json:"gdb"`
		vm.Live
	}
	all := []line{}
	for _, g := range guests {
		all = append(all, line{g.Name, g.GDB(), g})
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(a.stdout, "%s\n", text)
	}
	return err
}

func (a *app) list(guests []vm.Live) error {
	if len(guests) == 0 {
		fmt.Fprintln(a.stderr, "no guest runs")
		return nil
	}
	w := tabwriter.NewWriter(a.stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "guest\trun\ttrial\tpid\tengine\tvcpus\tage\tstate")
	for _, g := range guests {
		state := "running"
		if g.Held != "" {
			state = "held: " + g.Held
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%d\t%v\t%s\n",
			g.Name, g.Run, trialNumbers(g.Trials), g.PID, g.Engine, g.VCPUs, time.Since(g.Started).Round(time.Second), state)
	}
	return w.Flush()
}

// trialNumbers shows a guest's trials in a few characters.
func trialNumbers(n []int) string {
	switch len(n) {
	case 0:
		return "-"
	case 1:
		return strconv.Itoa(n[0])
	}
	return fmt.Sprintf("%d (and %d more)", n[0], len(n)-1)
}

func (a *app) attachCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "attach [GUEST|RUN/TRIAL]",
		Short: "Start gdb on a guest that runs now",
		Long: `Start gdb on a guest that runs now, of this or another lab. It stops the guest, and sees
the kernel and the Go program with symbols and sources; when gdb ends the guest goes on.
Time limits of the trial stand still meanwhile. A deterministic trial that was stopped
may end in another way than it would have; one of a past run is opened at its crash by
lab replay --gdb.

Without a name there must be only one guest, or only one that is held.
` + guestNames,
		Example: `  lab run matrix.yaml --hold-on crash &
  lab ps
  lab attach                             the guest that is held at a crash
  lab attach 20261124-020841-ghost-map/17
  lab attach shell/1                     the guest of lab shell`,
		Args: atMost("one guest or trial"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.attach(cmd.Context(), strings.Join(args, ""))
		},
	}
	return cmd
}

func (a *app) attach(ctx context.Context, name string) error {
	guest, err := a.guest(name)
	if err != nil {
		return err
	}
	h, err := a.host()
	if err != nil {
		return err
	}
	defer h.Out.Close()
	return h.Attach(ctx, guest)
}
