package terminal

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestTyped(t *testing.T) {
	for in, want := range map[string]struct {
		far string
		err error
	}{
		"ls\r\x01x more": {"", ErrQuit},
		"a\x01\x01b":     {"a\x01b\x04", nil},
		"\x01":           {"\x04", nil},
	} {
		var far bytes.Buffer
		if err := typed(&far, strings.NewReader(in)); !errors.Is(err, want.err) || far.String() != want.far {
			t.Errorf("%q: %q, %v; want %q, %v", in, far.String(), err, want.far, want.err)
		}
	}
}
