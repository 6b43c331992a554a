package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/visible"
)

// attacks are what a guest, or a file from somebody else, may hold.
var attacks = []string{
	`</script><script>document.hit = 1</script>`,
	`"><img src=x onerror="document.hit = 2">`,
	`<svg onload=document.hit=3>`,
	`javascript:document.hit=4`,
	`</style><style>body { display: none } @import "http://192.0.2.1/x.css";</style>`,
	`<link rel=stylesheet href="http://192.0.2.1/y.css"><meta http-equiv=refresh content="0;url=http://192.0.2.1/">`,
	`</pre></td></table></title></textarea><!--`,
	"{{.Lab}}{{template \"cells\"}}",
	"\x1b]0;title\x07\x1b[2J\x1b[31mred\x1b[0m",
	"null\x00byte \x9b2J \xff\xfe",
	"abc \u202eevil\u202c \u2066x\u2069 \ufeff\u200b end",
	"]]> &amp; &lt; ' \" ` \\ | # * _ [link](http://192.0.2.1/) @somebody",
	"www.example.com/x, (WWW.example.com) ftp://192.0.2.1 mailto:somebody@example.com",
	"two\nlines\u2028three\u2029four",
}

// hostileRun is a run in which all text is an attack.
func hostileRun(t testing.TB) string {
	run := plan(2, matrix.Axis{Name: "env.X", Values: attacks}, matrix.Axis{Name: `env.<b onclick=document.hit=5>`, Values: []string{"a", `b"'`}})
	run.Scenario, run.Matrix, run.QEMU = attacks[2], `$(touch x) '`+attacks[1], attacks[1]
	run.Kernels[0].Why, run.Kernels[0].Release, run.Host.CPU, run.Lab = attacks[2], attacks[8], attacks[5], attacks[4]
	run.Expect = []matrix.Expectation{{Outcome: crash.Crash, Signature: attacks[0], Claim: matrix.Claim{Word: matrix.Never}}}
	return made(t, run, func(add func(journal.Trial, string)) {
		for _, c := range run.Cells {
			a := attacks[c.Index/2]
			add(journal.Trial{Cell: c.Index, Outcome: crash.Crash, Title: a}, "first\n"+a+"\n"+strings.Join(attacks, "\n"))
			add(journal.Trial{Cell: c.Index, Outcome: crash.Infra, Error: a}, "")
		}
	})
}

// Nothing that a guest has written is obeyed, and all of it can be read.
func TestHostileTextInABrowser(t *testing.T) {
	file := pageOf(t, hostileRun(t))
	chrome := browser(t)
	for _, v := range []view{{width: 1280}, {width: 390, dark: true}} {
		b := open(t, chrome, file, v)
		if hit := eval[any](t, b, "document.hit ?? 0"); hit != float64(0) {
			t.Errorf("attack %v was carried out", hit)
		}
		if n := eval[int](t, b, `document.querySelectorAll("img, link, iframe, script:not(:last-child):not(#matrix), meta[http-equiv=refresh], [onclick], [onload], [onerror], b[onclick]").length`); n != 0 {
			t.Errorf("the page has %d elements of a guest's", n)
		}
		if bad := eval[[]string](t, b, `[...document.links].map((a) => a.getAttribute("href")).filter((h) => !/^(#|[.\/\w-]*trials\/\d+\/console\.log$)/.test(h))`); len(bad) > 0 {
			t.Errorf("links to %q", bad)
		}
		if w := eval[int64](t, b, "document.documentElement.scrollWidth"); w > v.width {
			t.Errorf("the page is %d wide", w)
		}
		text := eval[string](t, b, "document.body.textContent")
		for _, a := range attacks {
			for _, line := range strings.Split(visible.Text(a, true), "\n") {
				if !strings.Contains(text, line) {
					t.Errorf("the page does not show %q", line)
				}
			}
		}
		if strings.ContainsAny(text, "\x00\x1b\u202e\u2066\ufeff") {
			t.Error("the page has characters that cannot be seen")
		}
		b.picture(t, "hostile-"+v.String())
		b.innocent(t)
	}
}

// A terminal obeys nothing of it either, and programs can read their forms.
func TestHostileTextInOtherForms(t *testing.T) {
	s, err := Read(hostileRun(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Formats {
		var out bytes.Buffer
		if err := f.Write(s, &out); err != nil {
			t.Fatal(err)
		}
		if i := strings.IndexAny(out.String(), "\x00\x07\x1b\u009b\u202e\u2066\ufeff\u2028"); i >= 0 && f.Name != "json" {
			t.Errorf("%s has %q", f.Name, out.String()[i:min(i+20, out.Len())])
		}
		if !utf8.Valid(out.Bytes()) {
			t.Errorf("%s is no UTF-8", f.Name)
		}
		switch f.Name {
		case "junit":
			d := xml.NewDecoder(&out)
			for {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
		case "json":
			if strings.ContainsAny(out.String(), "\x00\x07\x1b") || !json.Valid(out.Bytes()) {
				t.Error("JSON that is none, or has control characters")
			}
		case "markdown":
			var page bytes.Buffer
			md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
			if err := md.Convert(out.Bytes(), &page); err != nil {
				t.Fatal(err)
			}
			for _, tag := range regexp.MustCompile(`<[a-z!][^ >]*`).FindAllString(page.String(), -1) {
				if !slices.Contains(ours, tag) {
					t.Errorf("Markdown makes %s", tag)
				}
			}
		}
	}
}

// ours are the elements that our own Markdown makes.
var ours = strings.Fields("<h2 <p <table <thead <tbody <tr <th <td <strong <code <ul <li <blockquote <details <summary <!--")

// Any text is shown on one line, in characters that XML 1.0 allows.
func FuzzVisible(f *testing.F) {
	for _, a := range attacks {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := visible.Text(text, false)
		for _, r := range got {
			if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0xfffe || r == 0xffff || r >= 0x202a && r <= 0x202e {
				t.Errorf("%q has %U", got, r)
			}
		}
		if !utf8.ValidString(got) || visible.Text(got, false) != got {
			t.Errorf("%q becomes %q", text, got)
		}
	})
}
