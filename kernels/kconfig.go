package kernels

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
)

// kconfig knows what each symbol depends on, as far as the Kconfig files say it
// in plain words: "depends on" of the symbol, and the "if" and "menu" around it.
// It explains a dropped option; the kernel's own conf decides about it.
type kconfig struct {
	symbols map[string]*symbol
}

type symbol struct {
	depends []string // expressions
	place   string   // file:line of the first definition
	prompt  bool     // it can be set by hand
}

// readKconfig reads all Kconfig files that an arm64 kernel may use.
func readKconfig(dir string) *kconfig {
	k := &kconfig{symbols: map[string]*symbol{}}
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		rel, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			if filepath.Dir(rel) == "arch" && d.Name() != "arm64" {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasPrefix(d.Name(), "Kconfig") {
			if text, err := os.ReadFile(path); err == nil {
				k.parse(rel, string(text))
			}
		}
		return nil
	})
	return k
}

func (k *kconfig) parse(file, text string) {
	var around [][]string // the conditions of each open "if" or "menu"
	var sym *symbol
	inMenu, inHelp := false, false
	text = strings.ReplaceAll(text, "\\\n", " ")
	for n, line := range strings.Split(text, "\n") {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		indented := line != "" && (line[0] == ' ' || line[0] == '\t')
		if inHelp && (indented || line == "") {
			continue
		}
		inHelp = false
		switch word {
		case "config", "menuconfig":
			sym, inMenu = k.symbols[rest], false
			if sym == nil {
				sym = &symbol{place: fmt.Sprintf("%s:%d", file, n+1)}
				k.symbols[rest] = sym
			}
			for _, conds := range around {
				sym.depends = append(sym.depends, conds...)
			}
		case "if":
			around, sym, inMenu = append(around, []string{rest}), nil, false
		case "menu":
			around, sym, inMenu = append(around, nil), nil, true
		case "endif", "endmenu":
			if len(around) > 0 {
				around = around[:len(around)-1]
			}
			sym, inMenu = nil, false
		case "choice", "comment":
			sym, inMenu = nil, false
		case "depends":
			rest = strings.TrimSpace(strings.TrimPrefix(rest, "on"))
			rest, _, _ = strings.Cut(rest, "#")
			if sym != nil {
				sym.depends = append(sym.depends, rest)
			} else if inMenu && len(around) > 0 {
				around[len(around)-1] = append(around[len(around)-1], rest)
			}
		case "bool", "tristate", "int", "hex", "string", "prompt":
			if sym != nil && strings.ContainsAny(rest, "\"'") {
				sym.prompt = true
			}
		case "help", "---help---":
			inHelp = true
		}
	}
}

var symbolPattern = regexp.MustCompile(`!?[A-Za-z_][A-Za-z0-9_]*`)

func (k *kconfig) knows(name string) bool {
	return k.symbols[strings.TrimPrefix(name, "CONFIG_")] != nil
}

// unmet says why an option is not as requested.
func (k *kconfig) unmet(name string, values map[string]string) string {
	sym := k.symbols[strings.TrimPrefix(name, "CONFIG_")]
	if sym == nil {
		return "this kernel has no such option"
	}
	seen := map[string]bool{}
	var unmet []string
	for _, expr := range sym.depends {
		for _, dep := range symbolPattern.FindAllString(expr, -1) {
			dep, negated := strings.CutPrefix(dep, "!")
			if dep == "y" || dep == "n" || dep == "m" || seen[dep] {
				continue
			}
			seen[dep] = true
			v := values["CONFIG_"+dep]
			switch on := v != "" && v != "n"; {
			case on && negated:
				unmet = append(unmet, dep+" is on")
			case !on && !negated:
				unmet = append(unmet, dep+" is off")
			}
		}
	}
	sort.Strings(unmet)
	switch {
	case len(unmet) > 0:
		return fmt.Sprintf("it depends on %s, but %s (%s)", strings.Join(sym.depends, " && "), strings.Join(unmet, ", "), sym.place)
	case !sym.prompt:
		return fmt.Sprintf("it cannot be set by hand, other options select it (%s)", sym.place)
	default:
		return fmt.Sprintf("another option forces it, or it is one of a choice (%s)", sym.place)
	}
}
