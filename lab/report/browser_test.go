package report

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "`folder` for pictures of the pages that are tested")

// browser starts a Chromium without a window, for all pages of a test.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if path, err = exec.LookPath("google-chrome"); err != nil {
			t.Skip("chromium is not installed")
		}
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// tab is a page that a browser has opened, and what it did that it must not do.
type tab struct {
	ctx  context.Context
	mu   sync.Mutex
	sins []string
}

// view is how a page is looked at.
type view struct {
	width                 int64
	dark, noScript, print bool
}

func (v view) String() string {
	scheme := "light"
	if v.dark {
		scheme = "dark"
	}
	return fmt.Sprintf("%s-%d", scheme, v.width)
}

func open(t *testing.T, in context.Context, file string, v view) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(in)
	t.Cleanup(cancel)
	b := &tab{ctx: ctx}
	scheme, media := "light", ""
	if v.dark {
		scheme = "dark"
	}
	if v.print {
		media = "print"
	}
	if err := chromedp.Listen(ctx, b.watch); err != nil {
		t.Fatal(err)
	}
	b.do(t, chromedp.Func(func(ctx context.Context, on *chromedp.Target) error {
		_, err := cdp.Call(ctx, on, network.Enable, network.EnableParams{})
		_, err2 := cdp.Call(ctx, on, log.Enable, cdp.Empty{})
		_, err3 := cdp.Call(ctx, on, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: v.noScript})
		_, err4 := cdp.Call(ctx, on, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media,
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return errors.Join(err, err2, err3, err4)
	}), chromedp.EmulateViewport(v.width, 800), chromedp.Navigate("file://"+file))
	return b
}

func (b *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// watch notes what a page says on its console, asks of a network and shows in
// dialogs.
func (b *tab) watch(event any) {
	var sin string
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		sin = fmt.Sprintf("console: %s %v", e.Type, e.Args)
	case *runtime.EventExceptionThrown:
		sin = fmt.Sprintf("exception: %s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *log.EventEntryAdded:
		sin = fmt.Sprintf("log: %s %s", e.Entry.Level, e.Entry.Text)
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.DocumentURL, "file://") || e.Request.URL != e.DocumentURL {
			sin = "request: " + e.Request.URL
		}
	case *page.EventJavascriptDialogOpening:
		sin = "dialog: " + e.Message
		go chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
	default:
		return
	}
	if sin != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.sins = append(b.sins, sin)
	}
}

// innocent checks that the page did nothing that it must not do.
func (b *tab) innocent(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.sins {
		t.Error(s)
	}
}

func eval[T any](t *testing.T, b *tab, script string) T {
	t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (b *tab) picture(t *testing.T, name string) {
	t.Helper()
	if *screenshots == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// contrasts is the smallest contrast of text (WCAG 2, 1.4.3) in the squares of
// the map.
const contrasts = `(() => {
	const light = (c) => {
		const [r, g, b] = c.match(/[\d.]+/g).map((x) => x / 255).map((x) => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
		return .2126 * r + .7152 * g + .0722 * b;
	};
	return Math.min(...[...document.querySelectorAll(".heat td.lev")].map((td) => {
		const s = getComputedStyle(td), [a, b] = [light(s.color), light(s.backgroundColor)];
		return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
	}));
})()`

// A page is right on a screen and on a phone, by day and by night, and asks for
// nothing.
func TestPageInABrowser(t *testing.T) {
	chrome := browser(t)
	for name, dir := range map[string]string{"matrix": bigRun(t), "mixed": "testdata/mixed", "hunt": huntRun(t)} {
		file := pageOf(t, dir)
		views := []view{{width: 1280}, {width: 390, dark: true}, {width: 390}, {width: 1280, dark: true}}
		if name != "matrix" {
			views = views[:2]
		}
		for _, v := range views {
			t.Run(name+"-"+v.String(), func(t *testing.T) {
				b := open(t, chrome, file, v)
				if w := eval[int64](t, b, "document.documentElement.scrollWidth"); w > v.width {
					t.Errorf("the page is %d wide", w)
				}
				if name == "matrix" {
					if n := eval[int](t, b, `document.querySelectorAll(".heat td.lev").length`); n == 0 {
						t.Error("no square of the map has a colour")
					}
					if c := eval[float64](t, b, contrasts); c < 4.5 {
						t.Errorf("text in the map has a contrast of %.1f", c)
					}
				}
				b.picture(t, name+"-"+v.String())
				b.innocent(t)
			})
		}
	}
}

// The reader chooses the axes; the sums are those of the cells.
func TestChoiceOfAxes(t *testing.T) {
	b := open(t, browser(t), pageOf(t, bigRun(t)), view{width: 1280})
	choose := func(label, value string) {
		t.Helper()
		if !eval[bool](t, b, fmt.Sprintf(`(() => {
			const label = [...document.querySelectorAll("#choice label")].find((l) => l.firstChild.data.trim() === %q);
			const s = label.querySelector("select"), o = [...s.options].find((o) => o.text === %q);
			s.value = o.value;
			s.dispatchEvent(new Event("change"));
			return !label.hidden;
		})()`, label, value)) {
			t.Fatalf("the choice %s is hidden", label)
		}
	}
	text := func(selector string) string {
		return eval[string](t, b, fmt.Sprintf(`document.querySelector(%q).innerText`, selector))
	}
	choose("rows", "populate")
	choose("columns", "gomaxprocs")
	choose("mmap_align", "all values pooled")
	choose("key_space", "only fixed")
	if got := text("#pooled"); got != "pooled over mmap_align" {
		t.Errorf("the page says %q", got)
	}
	// Of 10 trials in each of 4 alignments, as bigRun has them.
	want := "key_space=fixed\n\tgomaxprocs\npopulate\t1\t2\nfalse\t\n0.0 %\n0 of 40\t\n50.0 %\n20 of 40\n+ 4 hangs\ntrue\t\n0.0 %\n0 of 40\t\n100.0 %\n40 of 40"
	if got := strings.TrimSpace(text("#panels")); got != want {
		t.Errorf("the map is\n%q\nwant\n%q", got, want)
	}
	choose("rows", "gomaxprocs") // which the columns are: they give way
	if got := eval[int](t, b, `document.querySelectorAll("#choice label:not([hidden])").length`); got != 4 {
		t.Errorf("%d choices are shown, want rows, columns, and two axes", got)
	}

	b.do(t, chromedp.SendKeys(chromedp.CSS("#filter"), "gomaxprocs=2 fixed"))
	if got := text("#shown"); got != "8 of 32 cells" {
		t.Errorf("the filter says %q", got)
	}
	eval[any](t, b, `document.querySelector("#reproduce + ul button").click()`)
	if _, err := chromedp.Run(b.ctx, chromedp.Poll[bool](`document.querySelector("#reproduce + ul button").innerText !== "copy"`)); err != nil {
		t.Error(err)
	}
	b.innocent(t)
}

// On paper nothing is folded, cut off or there to be clicked.
func TestPageInPrint(t *testing.T) {
	b := open(t, browser(t), pageOf(t, bigRun(t)), view{width: 760, print: true})
	if w := eval[int64](t, b, "document.documentElement.scrollWidth"); w > 760 {
		t.Errorf("the page is %d wide", w)
	}
	if n := eval[int](t, b, `[...document.querySelectorAll("button, select, input")].filter((e) => e.offsetHeight > 0).length`); n > 0 {
		t.Errorf("%d controls are printed", n)
	}
	if h := eval[float64](t, b, `document.getElementById("cell-31").getBoundingClientRect().height`); h < 5 {
		t.Error("the commands are not printed")
	}
	b.picture(t, "print")
	b.innocent(t)
}

// What a reader needs is there without the script.
func TestPageWithoutScript(t *testing.T) {
	b := open(t, browser(t), pageOf(t, bigRun(t)), view{width: 390, noScript: true})
	text := eval[string](t, b, "document.body.textContent")
	for _, want := range []string{"crashes in 320 trials", "gomaxprocs matters", "mmap_align=4KiB", "20.0 %", "fatal error: concurrent map writes", "lab run m.yaml",
		"the victim, goroutine 18, found the mark", "0x4, read from m<b>.len at 0x400000c020 in main.read", "the culprit, goroutine 19, set the mark", "main.write<script>\n    ghost-map/main.go:78", "39484 instructions",
		"Who ran between the two:", "22 instructions: goroutine 19, until a page fault in main.write<script>"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := eval[int](t, b, `[...document.querySelectorAll(".scripted")].filter((e) => e.offsetParent).length`); n > 0 {
		t.Errorf("%d controls are shown that do nothing", n)
	}
	b.innocent(t)
}
