package cli

const holdOnCrash = "crash"

// held is how many guests are to be held at once.
func (f *runFlags) held() int {
	if f.holdOn == "" {
		return 0
	}
	return f.holds
}
