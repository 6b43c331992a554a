package cli

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mostReadme is the number of lines that somebody reads who does not know the lab yet.
const mostReadme = 120

// Everything in the documentation that can be read by the lab's own parsers is: command
// lines, matrices, scenarios, settings and events. Links lead to something.
func TestDocumentation(t *testing.T) {
	t.Chdir("../..")
	files, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	var all document
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := readDocument(source)
		for _, problem := range d.problems(t, file) {
			t.Errorf("%s: %s", file, problem)
		}
		all.commands = append(all.commands, d.commands...)
		all.links = append(all.links, d.links...)
		all.blocks = append(all.blocks, d.blocks...)
	}
	for what, n := range map[string][2]int{
		"documents": {len(files), 10}, "commands": {len(all.commands), 50}, "links": {len(all.links), 20}, "YAML and JSON blocks": {len(all.blocks), 5},
	} {
		if n[0] < n[1] {
			t.Errorf("%d %s were found, want at least %d", n[0], what, n[1])
		}
	}
	for file, names := range map[string][]string{
		"docs/commands.md": append(verbNames(t), fieldNames()...), "docs/matrix.md": keyNames(t), "docs/settings.md": settingNames(),
	} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(names) < 10 {
			t.Errorf("%s is to say %q only", file, names)
		}
		for _, name := range names {
			if !bytes.Contains(source, []byte(name)) {
				t.Errorf("%s does not say %q", file, name)
			}
		}
	}
}

// A document is wrong where one of its examples is.
func TestWrongDocumentation(t *testing.T) {
	t.Chdir("../..")
	block := func(language, text string) string { return "```" + language + "\n" + text + "\n```\n" }
	for source, want := range map[string]string{
		block("", "$ lab run scenarios/ghost-map/matrix.yaml -n 3\nlab: that is output"): "",
		block("", "lab try ./queue -run 'A|B' -race -- -x   # a comment"):                "",
		block("", "lab hunt ghost-map --set spin=1ms --limit 1m"):                        "",
		block("", "lab show --json | jq .cells > cells.json"):                            "",
		"`lab run -v` and `lab replay --hunt`":                                           "",
		"[a](lab.yaml) [b](scenarios/) [c](https://example.org/x) `lab/cli`":             "",
		"# A part\n\n[here](#a-part)":                                                    "",

		block("", "lab walk"):                                                             "unknown command",
		block("", "lab run matrix.yaml --trails 3"):                                       "unknown flag",
		block("", "$ bin/lab run matrix.yaml\n…\n$ lab show --jsonl"):                     "unknown flag",
		block("", "lab run"):                                                              "want a matrix file",
		block("", "lab merge"):                                                            "want the runs",
		block("", "lab build modules"):                                                    "build: no modules",
		block("", "lab run matrix.yaml -n few"):                                           "invalid argument",
		block("", "lab run matrix.yaml --set gomaxproc=2"):                                "gomaxproc",
		block("", "lab run matrix.yaml --only gomaxprocs=7"):                              "gomaxprocs",
		block("", "lab run matrix.yaml --shard 3/2"):                                      "--shard",
		block("", "lab run nowhere.yaml"):                                                 "nowhere.yaml",
		block("", "lab config --cpus 9"):                                                  "cpus",
		block("", "LAB_CPU_S=4 lab config"):                                               "LAB_CPU_S",
		block("", "lab hunt ghost-map --set gomaxprocs=zero"):                             "gomaxprocs",
		block("", "lab debug ghost-maps --break main.main"):                               "ghost-maps",
		block("", "lab show 'newest"):                                                     "sh:",
		"`lab run --trails 3`":                                                            "unknown flag",
		"| a |\n|---|\n| `lab runs` |\n":                                                  "unknown command",
		block("yaml", "scenario: ghost-map\naxes: {gomaxprocs: [0]}"):                     "gomaxprocs",
		block("yaml", "scenario: ghost-map\nexpect: [{crash: often}]"):                    "often",
		block("yaml", "name: x\nrepro: .\nparams: {a: {type: int, default: b, flag: a}}"): "default",
		block("yaml", "kernels: '6.1'"):                                                   "kernels",
		block("json", `{"event": "end", "time": "2026-01-02T03:04:05Z", "exit": 0}`):      "exit",
		"[a](lab.yml)":                  "lab.yml",
		"[a](../secret)":                "../secret",
		"[a](README.md#no-such-part)":   "no-such-part",
		"![a](picture.png)":             "picture.png",
		"`lab/live/event.go` has it":    "lab/live/event.go",
		strings.Repeat("line\n", 1+120): "121 lines",
	} {
		d := readDocument([]byte(source))
		problems := strings.Join(d.problems(t, "README.md"), "\n")
		if want == "" && problems != "" || !strings.Contains(problems, want) {
			t.Errorf("%s\nproblems: %q, want %q", source, problems, want)
		}
	}
}

// problems says what is wrong with a document, which is that file.
func (d document) problems(t *testing.T, file string) (all []string) {
	add := func(where string, err error) {
		if err != nil {
			all = append(all, fmt.Sprintf("%s: %v", where, err))
		}
	}
	if file == "README.md" && d.lines > mostReadme {
		all = append(all, fmt.Sprintf("%d lines, want at most %d", d.lines, mostReadme))
	}
	command := func(line string, complete bool) {
		t.Run(line, func(t *testing.T) { add(line, checkCommand(t, line, complete)) })
	}
	for _, line := range d.commands {
		command(line, true)
	}
	for _, line := range d.mentions {
		command(line, false)
	}
	for _, b := range d.blocks {
		add("a block of "+b.language, checkBlock(t, b))
	}
	for _, path := range d.paths {
		_, err := os.Stat(path)
		add("`"+path+"`", err)
	}
	for _, link := range d.links {
		add("link "+link, d.checkLink(file, link))
	}
	return all
}

// checkLink checks a link into the repository, which begins in that file.
func (d document) checkLink(file, link string) error {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "" {
		return err
	}
	target := filepath.Join(filepath.Dir(file), filepath.FromSlash(u.Path))
	if u.Path != "" {
		if !filepath.IsLocal(target) {
			return errors.New("leads out of the repository")
		}
		if _, err := os.Stat(target); err != nil || u.Fragment == "" {
			return err
		}
		source, err := os.ReadFile(target)
		if err != nil {
			return err
		}
		d = readDocument(source)
	}
	if !slices.Contains(d.headings, u.Fragment) {
		return fmt.Errorf("no heading %q", u.Fragment)
	}
	return nil
}
