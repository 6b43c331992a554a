package report

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// Format is a form of the report.
type Format struct {
	Name string
	// Ext ends the names of its files.
	Ext   string
	Write func(*Summary, io.Writer) error
}

// HTML is the format of the report in a run's folder.
var HTML = Format{"html", ".html", (*Summary).HTML}

// Formats are all that there are.
var Formats = []Format{
	HTML,
	{"markdown", ".md", (*Summary).Markdown},
	{"junit", ".xml", (*Summary).JUnit},
	{"json", ".json", (*Summary).JSON},
	{"terminal", ".txt", (*Summary).Terminal},
}

// FormatOf returns the format of that name.
func FormatOf(name string) (Format, error) {
	var names []string
	for _, f := range Formats {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fmt.Errorf("want %s, got %q", strings.Join(names, ", "), name)
}

// WriteFile writes the report in a form to a file, whole or not at all. Links in
// it lead from there to the run's folder.
func (s *Summary) WriteFile(f Format, file string) error {
	if err := s.linkFrom(filepath.Dir(file)); err != nil {
		return err
	}
	var text bytes.Buffer
	if err := f.Write(s, &text); err != nil {
		return err
	}
	return renameio.WriteFile(file, text.Bytes(), 0o644)
}

// HTMLFile is where the run's HTML report belongs.
func (s *Summary) HTMLFile() string { return filepath.Join(s.dir, "report.html") }
