package wire

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// What both sides say is lines of a key and a value. A clone of a guest starts
// with nothing translated, so each new piece of code that init runs costs host
// time: reading JSON took a third of what a trial takes (25 of 76 ms from the
// snapshot to the first message).

// appendLine appends a line, without its value where that is empty. A value that
// could be mistaken is quoted as in Go.
func appendLine(b []byte, key, value string) []byte {
	b = append(b, key...)
	if value == "" {
		return append(b, '\n')
	}
	b = append(b, ' ')
	if value[0] == '"' || value[0] == ' ' || strings.IndexByte(value, '\n') >= 0 || strings.IndexByte(value, 0) >= 0 {
		b = strconv.AppendQuote(b, value)
	} else {
		b = append(b, value...)
	}
	return append(b, '\n')
}

// appendNumber appends a line unless the number is zero.
func appendNumber(b []byte, key string, n int64) []byte {
	if n == 0 {
		return b
	}
	return appendLine(b, key, strconv.FormatInt(n, 10))
}

// lines calls each with every line of b.
func lines(b []byte, each func(key, value string) error) error {
	for n := 1; len(b) > 0; n++ {
		line, rest, ended := bytes.Cut(b, []byte("\n"))
		if !ended {
			return fmt.Errorf("line %d: cut short", n)
		}
		b = rest
		key, value, _ := strings.Cut(string(line), " ")
		var err error
		if strings.HasPrefix(value, `"`) {
			value, err = strconv.Unquote(value)
		}
		if err == nil {
			err = each(key, value)
		}
		if err != nil {
			return fmt.Errorf("line %d: %s: %w", n, key, err)
		}
	}
	return nil
}

// number and duration read a value into v.
func number[T int | int64](value string, v *T) error {
	n, err := strconv.ParseInt(value, 10, strconv.IntSize)
	*v = T(n)
	return err
}

func duration(value string, v *time.Duration) (err error) {
	*v, err = time.ParseDuration(value)
	return err
}
