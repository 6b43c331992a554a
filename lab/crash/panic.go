package crash

import "regexp"

var panicText = regexp.MustCompile(`(?m)Kernel panic - not syncing: (.*?)\r?$`)

// PanicTitle is the signature of a kernel panic on a guest's console. Where the
// panic followed an oops, the first line of that says more.
func PanicTitle(console []byte) string {
	m := panicText.FindSubmatch(console)
	if m == nil {
		return "kernel panic"
	}
	title := "kernel panic: " + normalise(string(m[1]))
	if o := oopsText.FindSubmatch(console); o != nil {
		title += ": " + normalise(string(o[1]))
	}
	return title
}

var oopsText = regexp.MustCompile(`(?m)\] (Unable to handle kernel .*?|kernel BUG at .*?|BUG: .*?|Internal error: .*?)\r?$`)
