package rsp

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
)

// describe reads the target's description and returns the numbers of its
// registers by their names. A stub without a description has none.
func (c *Client) describe(ctx context.Context) (map[string]int, error) {
	numbers := map[string]int{}
	next := 0
	var include func(annex string, depth int) error
	include = func(annex string, depth int) error {
		text, err := c.object(ctx, "features", annex)
		if err != nil {
			return err
		}
		return scan(text, numbers, &next, func(annex string) error {
			if depth == 0 {
				return fmt.Errorf("gdb stub: its description includes too deeply")
			}
			return include(annex, depth-1)
		})
	}
	if err := include("target.xml", 4); err != nil {
		if _, refused := err.(*Error); refused {
			return numbers, nil
		}
		return nil, err
	}
	return numbers, nil
}

// scan notes the registers of a description. One without a number follows the
// one before it.
func scan(text []byte, numbers map[string]int, next *int, include func(annex string) error) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("gdb stub: its description: %w", err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attr := map[string]string{}
		for _, a := range e.Attr {
			attr[a.Name.Local] = a.Value
		}
		switch e.Name.Local {
		case "include":
			if err := include(attr["href"]); err != nil {
				return err
			}
		case "reg":
			if n, err := strconv.Atoi(attr["regnum"]); err == nil {
				*next = n
			}
			if _, twice := numbers[attr["name"]]; !twice {
				numbers[attr["name"]] = *next
			}
			*next++
		}
	}
}

// object reads an object of the protocol's qXfer, in as many parts as it takes.
func (c *Client) object(ctx context.Context, kind, annex string) ([]byte, error) {
	var all []byte
	for {
		command := fmt.Sprintf("qXfer:%s:read:%s:%x,%x", kind, annex, len(all), c.room)
		part, err := c.call(ctx, command)
		if err != nil {
			return nil, err
		}
		if len(part) == 0 || part[0] != 'l' && part[0] != 'm' || part[0] == 'm' && len(part) == 1 {
			return nil, &Error{command, string(part)}
		}
		all = append(all, part[1:]...)
		if part[0] == 'l' || len(all) > maxPacket {
			return all, nil
		}
	}
}
