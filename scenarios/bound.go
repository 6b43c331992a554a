package scenarios

import (
	"fmt"
	"time"
)

// MostYAML is the largest file of a user's, in bytes, and these are its other bounds: the YAML library takes time that grows with
// the square of the depth, and of the number of a map's keys. A file of these bounds
// takes it at most some seconds (measured: 26,000 keys 2 s).
const (
	MostYAML  = 256 << 10 // bytes
	mostDepth = 100       // lists and maps within each other
	longest   = 20 * time.Second
)

// bounded calls read, which parses text, where that is within the bounds.
func bounded(text []byte, read func() error) error {
	if len(text) > MostYAML {
		return fmt.Errorf("want at most %d KiB of YAML, got more", MostYAML>>10)
	}
	if line, deep := depth(text); deep {
		return &PlaceError{Line: line, Col: 1, Err: fmt.Errorf("want at most %d lists and maps within each other", mostDepth)}
	}
	done := make(chan error, 1)
	go func() { done <- recovered(read) }()
	select {
	case err := <-done:
		return err
	case <-time.After(longest):
		return fmt.Errorf("this YAML takes more than %v to read: is it nested deep?", longest)
	}
}

// depth says whether text is nested too deep, and in which line. It knows no quotes:
// what it takes for brackets in a plain text is far from so many.
func depth(text []byte) (line int, deep bool) {
	line = 1
	flow, dashes, other := 0, 0, false // in the line
	for _, c := range text {
		switch c {
		case '[', '{':
			flow++
		case ']', '}':
			flow = max(flow-1, 0)
		case '\n':
			line++
			dashes, other = 0, false
			continue
		case '-':
			if !other {
				dashes++
			}
			continue
		}
		other = other || c != ' '
		if flow > mostDepth || dashes > mostDepth && !other {
			return line, true
		}
	}
	return 0, false
}

// recovered calls read. The library panics over some input, such as a tag where a list
// should be.
func recovered(read func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("this YAML cannot be read: %v", p)
		}
	}()
	return read()
}
