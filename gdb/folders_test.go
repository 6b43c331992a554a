package gdb

import (
	"slices"
	"testing"
)

func TestOutermost(t *testing.T) {
	got := Outermost(map[string]string{
		"runtime": "/go/src/runtime",
		"shop":    "/home/me/shop", "shop/cart": "/home/me/shop/cart", "shop/cart/tax": "/home/me/vendored/tax", "shop/cart/tax/eu": "/home/me/vendored/tax/eu",
		"github.com/a/b@v1.2.0/c": "/mod/github.com/a/b@v1.2.0/c",
	}, map[string]bool{"runtime": true})
	want := []Folder{
		{"github.com/a/b@v1.2.0/c", "/mod/github.com/a/b@v1.2.0/c"}, {"shop/cart/tax", "/home/me/vendored/tax"}, {"shop", "/home/me/shop"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}
