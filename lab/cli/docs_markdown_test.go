package cli

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// documents are the Markdown files of the repository, from its root.
func documents() (files []string, err error) {
	err = filepath.WalkDir(".", func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (path == "bin" || path == "runs" || e.Name() == "testdata" || strings.HasPrefix(e.Name(), ".") && path != "."):
			return fs.SkipDir
		case filepath.Ext(path) == ".md":
			files = append(files, path)
		}
		return nil
	})
	return files, err
}

// document is what is examined of a Markdown file.
type document struct {
	lines    int
	commands []string // command lines in code blocks
	mentions []string // the same in code spans, which need not be complete
	paths    []string // code spans that look like paths of the repository
	links    []string
	blocks   []codeBlock
	headings []string // their identifiers
}

// codeBlock is a code block in a language that the lab reads.
type codeBlock struct{ language, text string }

var markdown = goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithAutoHeadingID()))

func readDocument(source []byte) document {
	d := document{lines: bytes.Count(source, []byte("\n"))}
	root := markdown.Parser().Parse(text.NewReader(source))
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.FencedCodeBlock:
			block := codeBlock{string(n.Language(source)), string(n.Lines().Value(source))}
			if block.language != "" {
				d.blocks = append(d.blocks, block)
			} else {
				d.commands = append(d.commands, commandsIn(block.text)...)
			}
		case *ast.CodeBlock:
			d.commands = append(d.commands, commandsIn(string(n.Lines().Value(source)))...)
		case *ast.CodeSpan:
			var span strings.Builder
			for c := n.FirstChild(); c != nil; c = c.NextSibling() {
				span.Write(c.(*ast.Text).Value(source))
			}
			code := strings.ReplaceAll(span.String(), "\n", " ")
			switch {
			case strings.HasPrefix(code, "lab "), strings.HasPrefix(code, "bin/lab "):
				d.mentions = append(d.mentions, commandsIn(code)...)
			case ofRepository.MatchString(code):
				d.paths = append(d.paths, code)
			}
		case *ast.Link:
			d.links = append(d.links, string(n.Destination))
		case *ast.Image:
			d.links = append(d.links, string(n.Destination))
		case *ast.Heading:
			if id, ok := n.AttributeString("id"); ok {
				d.headings = append(d.headings, string(id.([]byte)))
			}
		}
		return ast.WalkContinue, nil
	})
	return d
}

var ofRepository = regexp.MustCompile(`^(docs|gdb|images|initramfs|kernels|lab|scenarios)/[\w./-]+$`)

// commandLine is one of lab's: at the beginning of a line, after a prompt, or in a
// column of its own.
var commandLine = regexp.MustCompile(`(?m)(?:^|  |\$ )((?:[A-Z_]+=\S* )*)(?:bin/)?(lab [^\n]*)$`)

func commandsIn(text string) (all []string) {
	for _, m := range commandLine.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1]+m[2])
	}
	return all
}
