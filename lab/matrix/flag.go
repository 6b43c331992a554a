package matrix

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"ghostlab/lab/suggest"
	"ghostlab/scenarios"
)

// override puts what flags say in the place of the file's keys and axes. A name
// is a key, a key within one (stop.width), or an axis, with or without "axes."
// before it.
func (f *form) override(top *value, flags []Flag) error {
	for _, flag := range flags {
		from := &source{flag.Words, true}
		key := value{from: from, text: flag.Name}
		if flag.Name == KeyScenario {
			return key.fail("the scenario is the file's to name")
		}
		outer, inner, ok := f.resolve(flag.Name)
		if !ok {
			return advised(key.fail("neither a key of a matrix nor an axis: %q", flag.Name), f.advice(outer, inner))
		}
		x, _ := f.field(outer)
		label := outer + ": "
		if inner != "" {
			label = x.form.labelOf(label, inner)
			x, _ = x.form.field(inner)
		}
		v, err := x.form.readFlag(from, label, flag.Value)
		if err != nil {
			if alone := f.alone(flag); alone != "" {
				return advised(key.fail("%swant one setting to a flag, got %q", label, flag.Name+"="+flag.Value), alone)
			}
			axes, _ := f.field(KeyAxes)
			if _, both := axes.form.field(flag.Name); both && inner == "" && strings.Contains(flag.Value, ",") {
				return advised(key.fail("%s: want one value, got %q", flag.Name, flag.Value), fmt.Sprintf("the axis of that name is axes.%s", flag.Name))
			}
			return err
		}
		if inner != "" {
			whole := value{from: from, isMap: true}
			if old := top.get(outer); old != nil {
				whole = *old
			}
			if !whole.isMap { // a list of what to collect
				whole = value{from: whole.from, isMap: true, fields: []entry{{value{text: keyEvidence}, whole}}}
			}
			whole.set(inner, v)
			v = whole
		}
		top.set(outer, v)
	}
	return nil
}

// another is where a second setting begins in a flag's value.
var another = regexp.MustCompile(`[, ]+([^=, ]+)=`)

// alone is the advice to those who have put two settings into one flag; empty
// for all others.
func (f *form) alone(flag Flag) string {
	at := another.FindStringSubmatchIndex(flag.Value)
	if at == nil {
		return ""
	}
	if _, _, ok := f.resolve(flag.Value[at[2]:at[3]]); !ok {
		return ""
	}
	option := strings.Fields(strings.TrimPrefix(flag.Words, "flag "))[0]
	return fmt.Sprintf("say %s %s=%s %s %s", option, flag.Name, flag.Value[:at[0]], option, flag.Value[at[2]:])
}

// advice says which key or axis a flag may mean.
func (f *form) advice(outer, inner string) string {
	x, _ := f.field(outer)
	known := x.form.names()
	if outer == KeyAxes {
		known = append(f.names(), known...)
	}
	return suggest.Advice(inner, known)
}

// resolve says which key, and which within it, a flag's name is.
func (f *form) resolve(name string) (outer, inner string, ok bool) {
	if _, ok := f.field(name); ok {
		return name, "", true
	}
	if outer, inner, ok = strings.Cut(name, "."); ok {
		if x, known := f.field(outer); known {
			_, ok = x.form.field(inner)
			return outer, inner, ok
		}
	}
	axes, _ := f.field(KeyAxes)
	_, ok = axes.form.field(name)
	return KeyAxes, name, ok
}

// AxisFlag is the flag that gives an axis these values.
func AxisFlag(axis string, values ...string) Flag {
	outer, inner, _ := matrixForm(nil).resolve(axis)
	if outer != KeyAxes || inner != axis { // a key has that name
		axis = KeyAxes + "." + axis
	}
	return Flag{Name: axis, Value: FlagValue(values...)}
}

// FlagValue is a list of values as a flag takes it: with commas between them, or,
// where a value holds a comma or what cannot be seen, as YAML's ["a", "b"].
func FlagValue(values ...string) string {
	odd := func(r rune) bool { return r == ',' || !unicode.IsPrint(r) }
	text := strings.Join(values, ",")
	if !strings.HasPrefix(text, "[") && !strings.HasPrefix(text, "{") &&
		!slices.ContainsFunc(values, func(v string) bool { return strings.ContainsFunc(v, odd) }) {
		return text
	}
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = strconv.Quote(v)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// set gives a key of a map a value.
func (v *value) set(key string, to value) {
	if old := v.get(key); old != nil {
		*old = to
		return
	}
	v.fields = append(v.fields[:len(v.fields):len(v.fields)], entry{value{from: to.from, text: key}, to})
}

// readFlag reads a flag's text: a scalar as it is, a list as values with commas
// between them, and anything as YAML's [a, b] and {a: b}.
func (f *form) readFlag(from *source, label, text string) (value, error) {
	v := value{from: from}
	if f.kind != nil {
		return f.readText(v, label, text)
	}
	if f.items != nil && f.items.kind != nil && !strings.HasPrefix(text, "[") && !strings.HasPrefix(text, "{") {
		return f.readTexts(v, label, strings.Split(text, ","))
	}
	node, err := scenarios.ParseYAML(from.name, []byte(text))
	if err != nil {
		return v, err
	}
	if node == nil {
		return v, v.fail("%swant %s, got none", label, f.shapes())
	}
	return f.read(from, label, node)
}
